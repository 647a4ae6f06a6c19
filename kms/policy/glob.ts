import type { Meter } from './meter.ts'

/** Part of a pattern: literal text, any one UTF-16 code unit, or any number of them. */
export type GlobPart = { readonly text: string } | 'one' | 'many'

/** In a segment: any code unit. */
const ANY = -1

/** A run of code units between two stars; as text, if none of them is any. */
interface Segment {
  readonly codes: readonly number[]
  readonly text: string | undefined
}

/**
 * A pattern with wildcards, matched without regular expressions and without going back: the segments between stars are
 * found from left to right, each at its first place, in time proportional to text × ⌈segment / 32⌉.
 */
export class Glob {
  readonly #first: Segment
  /** Absent without a star. */
  readonly #last: Segment | undefined
  readonly #middle: readonly Segment[]

  constructor(parts: readonly GlobPart[]) {
    const runs: GlobPart[][] = [[]]
    for (const part of parts) {
      if (part === 'many') runs.push([])
      else runs[runs.length - 1]!.push(part)
    }
    const segments = runs.map(segmentOf)
    this.#first = segments[0]!
    this.#last = segments.length > 1 ? segments[segments.length - 1] : undefined
    // A run of stars is one star.
    this.#middle = segments.slice(1, -1).filter(({ codes }) => codes.length > 0)
  }

  /** Whether the whole text matches. */
  matches(text: string, meter: Meter): boolean {
    const start = this.#first.codes.length
    meter.spend(start + 1)
    if (!isAt(this.#first, text, 0)) return false
    if (!this.#last) return text.length === start
    const end = text.length - this.#last.codes.length
    meter.spend(this.#last.codes.length)
    return end >= start && isAt(this.#last, text, end) && this.#findMiddle(text, start, end, meter)
  }

  #findMiddle(text: string, start: number, end: number, meter: Meter): boolean {
    let from = start
    for (const { codes } of this.#middle) {
      from = findSegment(codes, text, from, end, meter)
      if (from < 0) return false
    }
    return true
  }
}

function segmentOf(parts: readonly GlobPart[]): Segment {
  const codes: number[] = []
  for (const part of parts) {
    if (typeof part === 'string') codes.push(ANY)
    else for (let i = 0; i < part.text.length; i++) codes.push(part.text.charCodeAt(i))
  }
  const text = parts.map((part) => (typeof part === 'string' ? '' : part.text)).join('')
  return { codes, text: codes.includes(ANY) ? undefined : text }
}

function isAt({ codes, text }: Segment, subject: string, at: number): boolean {
  if (text !== undefined) return subject.startsWith(text, at)
  if (at + codes.length > subject.length) return false
  return codes.every((code, i) => code === ANY || subject.charCodeAt(at + i) === code)
}

/** The place after the first occurrence of a segment in `text` between `from` and `end`; -1 if there is none. */
function findSegment(codes: readonly number[], text: string, from: number, end: number, meter: Meter): number {
  if (codes.length > end - from) return -1
  // A finder has a row of words for each code unit that occurs: it is paid before it is made, and kept by nobody.
  meter.spend(codes.length)
  meter.spend(new Set(codes).size * Math.ceil(codes.length / 32))
  return new Finder(codes).find(text, from, end, meter)
}

/** Shift-And (Baeza-Yates and Gonnet, 1992), over as many words of 32 bits as the segment needs. */
class Finder {
  readonly #length: number
  /** For each code unit in the segment, the places that accept it. */
  readonly #places = new Map<number, Uint32Array>()
  /** The places that accept every code unit. */
  readonly #wild: Uint32Array

  constructor(segment: readonly number[]) {
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

  /** As {@link findSegment}. */
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
