import { assertWellFormed } from '../../bindings/text.ts'
import { PolicyError } from './error.ts'

/** A JSON number in the digits in which it was written: policies compare text. */
export interface JsonNumber {
  readonly digits: string
}

/** A JSON value. Objects are maps, so that no name is special. */
export type Json = string | boolean | null | JsonNumber | readonly Json[] | JsonObject
export type JsonObject = ReadonlyMap<string, Json>

/** Two more than a policy has. */
const MAX_DEPTH = 8

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/**
 * Reads JSON (RFC 8259) strictly: a name that comes twice in an object, nesting deeper than a policy has, and a lone
 * surrogate are refused; the built-in parser takes the last of two equal names without a word.
 *
 * @throws PolicyError
 */
export function readJson(text: string): Json {
  const reader = new Reader(text)
  const value = reader.value(0)
  reader.end()
  return value
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  end(): void {
    if (this.#peek() !== '') this.#fail('text after the document')
  }

  value(depth: number): Json {
    if (depth > MAX_DEPTH) this.#fail('nested too deeply')
    switch (this.#peek()) {
      case '{':
        return this.#object(depth)
      case '[':
        return this.#array(depth)
      case '"':
        return this.#string()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, Json>()
    this.#items('}', () => {
      if (this.#peek() !== '"') this.#fail('a name is missing')
      const name = this.#string()
      if (members.has(name)) this.#fail(`${JSON.stringify(name)} comes twice`)
      if (this.#peek() !== ':') this.#fail('a colon is missing')
      this.#at++
      members.set(name, this.value(depth + 1))
    })
    return members
  }

  #array(depth: number): readonly Json[] {
    const members: Json[] = []
    this.#items(']', () => members.push(this.value(depth + 1)))
    return members
  }

  #items(close: string, read: () => void): void {
    this.#at++
    if (this.#peek() === close) {
      this.#at++
      return
    }
    for (;;) {
      read()
      const next = this.#peek()
      this.#at++
      if (next === close) return
      if (next !== ',') this.#fail(`a comma or ${close} is missing`)
    }
  }

  #string(): string {
    let text = ''
    let from = ++this.#at
    for (;;) {
      const next = this.#text.charAt(this.#at)
      if (next === '' || next < ' ') this.#fail('a string does not end')
      if (next === '"') break
      this.#at++
      if (next !== '\\') continue
      text += this.#text.slice(from, this.#at - 1) + this.#escape()
      from = this.#at
    }
    text += this.#text.slice(from, this.#at)
    this.#at++
    try {
      assertWellFormed(text, 'a string')
    } catch {
      this.#fail('a string holds a lone surrogate')
    }
    return text
  }

  #escape(): string {
    const name = this.#text.charAt(this.#at++)
    if (name === 'u') {
      const digits = this.#text.slice(this.#at, this.#at + 4)
      if (!/^[0-9a-f]{4}$/i.test(digits)) this.#fail('\\u without four hexadecimal digits')
      this.#at += 4
      return String.fromCharCode(Number.parseInt(digits, 16))
    }
    return (Object.hasOwn(ESCAPES, name) ? ESCAPES[name] : undefined) ?? this.#fail('an escape that JSON does not have')
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('no JSON value')
    this.#at += word.length
    return value
  }

  #number(): JsonNumber {
    NUMBER.lastIndex = this.#at
    const digits = NUMBER.exec(this.#text)?.[0] ?? this.#fail('no JSON value')
    this.#at += digits.length
    return { digits }
  }

  /** The next character that is no white space; empty at the end. */
  #peek(): string {
    while (' \t\n\r'.includes(this.#text.charAt(this.#at)) && this.#at < this.#text.length) this.#at++
    return this.#text.charAt(this.#at)
  }

  #fail(why: string): never {
    throw new PolicyError('syntax', `The policy is not in the valid JSON format: ${why}, at ${String(this.#at)}.`)
  }
}
