import { InvalidArgumentError } from 'commander'

export type Attributes = ReadonlyMap<string, string>

/** Reads `name=value,name=value`; a comma in a value is written twice. A name that is given twice is refused. */
export function parseAttributes(text: string): Attributes {
  const attributes = new Map<string, string>()
  for (const part of partsOf(text)) {
    const end = part.indexOf('=')
    if (end < 1) throw new InvalidArgumentError(`${JSON.stringify(part)} is not name=value`)
    const name = part.slice(0, end)
    if (attributes.has(name)) throw new InvalidArgumentError(`${name} is given twice`)
    attributes.set(name, part.slice(end + 1))
  }
  return attributes
}

/** Refuses names that are not known. */
export function assertKnown(attributes: Attributes, known: readonly string[]): void {
  const unknown = [...attributes.keys()].find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new InvalidArgumentError(`${JSON.stringify(unknown)} is none of ${known.join(', ')}`)
}

function partsOf(text: string): string[] {
  return text
    .replaceAll(',,', '\0')
    .split(',')
    .map((part) => part.replaceAll('\0', ','))
}
