import type { Meter } from './meter.ts'

/** Part of a pattern: literal text, any one UTF-16 code unit, or any number of them. */
export type GlobPart = { readonly text: string } | 'one' | 'many'

/** In a segment: any code unit. */
const ANY = -1

/** A run of code units between two stars. */
type Segment = readonly number[]

/**
 * A pattern with wildcards, matched without regular expressions and without going back: the segments between stars are
 * found from left to right, each at its first place, in time proportional to text × ⌈segment / 32⌉.
 */
export class Glob {
  readonly #segments: readonly Segment[]
  readonly #finders: (Finder | undefined)[]

  constructor(parts: readonly GlobPart[]) {
    const segments: number[][] = [[]]
    for (const part of parts) {
      if (part === 'many') segments.push([])
      else if (part === 'one') segments.at(-1).push(ANY)
      else for (let i = 0; i < part.text.length; i++) segments.at(-1).push(part.text.charCodeAt(i))
    }
    // A run of stars is one star.
    this.#segments = segments.filter(({ length }, i) => length > 0 || i === 0 || i === segments.length - 1)
    this.#finders = this.#segments.map(() => undefined)
  }

  /** Whether the whole text matches. */
  matches(text: string, meter: Meter): boolean {
    const first = this.#segments[0] ?? []
    const last = this.#segments.at(-1) ?? []
    meter.spend(first.length + last.length + 1)
    if (this.#segments.length === 1) return text.length === first.length && isAt(first, text, 0)
    const end = text.length - last.length
    if (end < first.length || !isAt(first, text, 0) || !isAt(last, text, end)) return false
    let from = first.length
    for (let i = 1; i < this.#segments.length - 1; i++) {
      const segment = this.#segments[i] ?? []
      const finder = (this.#finders[i] ??= new Finder(segment))
      const found = finder.find(text, from, end, meter)
      if (found < 0) return false
      from = found
    }
    return true
  }
}

function isAt(segment: Segment, text: string, at: number): boolean {
  return segment.every((code, i) => code === ANY || text.charCodeAt(at + i) === code)
}

/** Shift-And (Baeza-Yates and Gonnet, 1992), over as many words of 32 bits as the segment needs. */
class Finder {
  readonly #length: number
  /** For each code unit in the segment, the places that accept it. */
  readonly #places = new Map<number, Uint32Array>()
  /** The places that accept every code unit. */
  readonly #wild: Uint32Array

  constructor(segment: Segment) {
    this.#length = segment.length
    this.#wild = new Uint32Array(Math.ceil(segment.length / 32))
    for (const [i, code] of segment.entries()) if (code === ANY) addPlace(this.#wild, i)
    for (const [i, code] of segment.entries()) {
      if (code === ANY) continue
      const places = this.#places.get(code) ?? this.#wild.slice()
      this.#places.set(code, places)
      addPlace(places, i)
    }
  }

  /** The place after the first occurrence in `text` between `from` and `end`; -1 if there is none. */
  find(text: string, from: number, end: number, meter: Meter): number {
    const last = this.#length - 1
    const state = new Uint32Array(this.#wild.length)
    for (let at = from; at < end; at++) {
      meter.spend(state.length)
      const places = this.#places.get(text.charCodeAt(at)) ?? this.#wild
      let carry = 1
      for (let word = 0; word < state.length; word++) {
        const before = state[word]!
        state[word] = ((before << 1) | carry) & places[word]!
        carry = before >>> 31
      }
      if ((state[last >>> 5]! >>> (last & 31)) & 1) return at + 1
    }
    return -1
  }
}

function addPlace(places: Uint32Array, i: number): void {
  places[i >>> 5]! |= 1 << (i & 31)
}

/** A pattern of plain text with `*` and `?`. */
export function globOf(text: string): Glob {
  const parts = text.split(/([*?])/).filter((part) => part !== '')
  return new Glob(parts.map((part) => (part === '*' ? 'many' : part === '?' ? 'one' : { text: part })))
}
