import { describe, expect, it } from 'vitest'
import { coveringFrames, frameLayout, frameRun } from '../../src/frame-layout.ts'

const REGULAR = 32
const FINAL = 40

describe('the frames of a body', () => {
  it('follow from its length, for every length and frame length', () => {
    for (let frameLength = 1; frameLength <= 40; frameLength++) {
      const layouts = new Map<number, [regular: number, final: number]>()
      for (let regular = 0; regular < 20; regular++) {
        for (let final = 0; final <= frameLength; final++) {
          const length = regular * (frameLength + REGULAR) + FINAL + final
          expect(layouts.has(length)).toBe(false)
          layouts.set(length, [regular, final])
        }
      }
      for (let length = 0; length < 19 * (frameLength + REGULAR); length++) {
        const found = frameLayout(length, frameLength)
        const expected = layouts.get(length)
        expect(found && [found.regularFrames, found.finalLength], `${length} of ${frameLength}`).toEqual(expected)
        if (found) expect(found.plaintextLength).toBe(found.regularFrames * frameLength + found.finalLength)
      }
    }
  })

  it('are at most 2^32 − 1, and exact at 2^50 bytes', () => {
    expect(frameLayout(2 ** 32 * 33 + FINAL, 1)).toBeUndefined()
    expect(frameLayout((2 ** 32 - 2) * 33 + FINAL + 1, 1)?.regularFrames).toBe(2 ** 32 - 2)
    expect(frameLayout((2 ** 32 - 1) * 33 + FINAL, 1)).toBeUndefined()
    const layout = frameLayout(2 ** 50, 2 ** 20)
    expect(layout && layout.regularFrames * (2 ** 20 + REGULAR) + FINAL + layout.finalLength).toBe(2 ** 50)
  })

  it('that cover a range are those that hold it, and the final one when it reaches the end', () => {
    for (let frameLength = 1; frameLength <= 5; frameLength++) {
      for (let length = FINAL; length < 6 * (frameLength + REGULAR); length++) {
        const layout = frameLayout(length, frameLength)
        if (layout === undefined) continue
        const { plaintextLength, regularFrames } = layout
        for (let start = 0; start < plaintextLength; start++) {
          for (let end = start + 1; end <= plaintextLength; end++) {
            const [first, last] = coveringFrames(layout, start, end)
            const run = frameRun(layout, first, last + 1 - first)
            expect(run.textStart).toBeLessThanOrEqual(start)
            expect(run.textEnd).toBeGreaterThanOrEqual(end)
            expect(run.textStart).toBeGreaterThan(start - frameLength)
            expect(run.textEnd - frameLength).toBeLessThan(end)
            expect(run.isFinal).toBe(end > regularFrames * frameLength || end === plaintextLength)
          }
        }
      }
    }
  })
})
