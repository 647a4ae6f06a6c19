import { InvalidArgumentError } from 'commander'
import { algorithmSuites, type AlgorithmSuiteName } from '../src/index.ts'

/** Adds one `key=value` to the pairs so far: the key ends at the first `=`, the value may hold more of them. */
export function contextPair(text: string, pairs: Record<string, string> | undefined): Record<string, string> {
  const end = text.indexOf('=')
  if (end < 1) throw new InvalidArgumentError('it must be key=value')
  const key = text.slice(0, end)
  // Without a prototype, `__proto__` is a key like any other.
  const result = Object.assign(Object.create(null) as Record<string, string>, pairs)
  if (key in result) throw new InvalidArgumentError(`the key ${JSON.stringify(key)} is given twice`)
  result[key] = text.slice(end + 1)
  return result
}

/** A whole number of bytes that fits the header's field. */
export function frameLength(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > 0xffff_ffff) {
    throw new InvalidArgumentError('it must be a number of bytes from 1 to 4294967295')
  }
  return value
}

/** An algorithm suite by its name or its hexadecimal id, in any case. */
export function suiteName(text: string): AlgorithmSuiteName {
  const wanted = text.toUpperCase()
  const id = /^(?:0X)?([0-9A-F]{4})$/.exec(wanted)?.[1]
  const suite = algorithmSuites.find((row) => row.name === wanted || row.id === parseInt(id ?? '', 16))
  if (suite === undefined)
    throw new InvalidArgumentError(`the suites are ${algorithmSuites.map((row) => row.name).join(', ')}`)
  return suite.name
}

/** Adds one key of the encryption context. */
export function contextKey(text: string, keys: readonly string[] | undefined): readonly string[] {
  return [...(keys ?? []), text]
}

/** A parser for a whole number from 1 to `limit`. */
export function countUpTo(limit: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= 1 && value <= limit) return value
    throw new InvalidArgumentError(`it must be a whole number from 1 to ${limit}`)
  }
}
