import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WaxsealError } from '../../src/index.ts'
import { openMessage } from '../../src/range.ts'
import type { AlgorithmSuiteId } from '../../src/index.ts'
import type { OpenedMessage } from '../../src/range.ts'
import { MUTATIONS } from './frame-mutations.ts'
import { keyring, takeApart, text, writeFramed } from './framed-messages.ts'

const READ_ANY = { commitmentPolicy: 'require-encrypt-allow-decrypt' } as const

const SUITES: readonly AlgorithmSuiteId[] = [0x0478, 0x0178, 0x0014]

const shapes = fc.record({
  size: fc.integer({ min: 0, max: 90 }),
  frameLength: fc.integer({ min: 1, max: 30 }),
  isFinalEmpty: fc.boolean(),
  suite: fc.constantFrom(...SUITES),
})

describe.each(Object.entries(MUTATIONS))('when %s', (_, mutate) => {
  it('the message is not read to its end, and each range is either refused or the right one', async () => {
    const property = fc.asyncProperty(shapes, fc.nat(), fc.nat(), fc.nat(), fc.nat(), async (shape, i, j, a, b) => {
      const { frameLength, isFinalEmpty } = shape
      const size = isFinalEmpty ? shape.size - (shape.size % frameLength) : shape.size
      const plaintext = text(size)
      const message = writeFramed(plaintext, shape)
      const pieces = takeApart(message)
      const other = takeApart(writeFramed(plaintext, shape))
      const count = pieces.frames.length
      const mutated = mutate(pieces, other, i % count, j % count)
      fc.pre(!Buffer.from(mutated).equals(message))
      const opened = await openMessage(keyring, mutated, READ_ANY).catch(refusal)
      if (opened === undefined) return
      expect(await opened.read().catch(refusal)).toBeUndefined()
      const [start, end] = [a % (size + 1), b % (size + 1)].sort((x, y) => x - y) as [number, number]
      await checkRange(opened, plaintext, start, end)
      for (let at = 0; at < size; at++) await checkRange(opened, plaintext, at, at + 1)
    })
    await fc.assert(property, { seed: 1, numRuns: 60 })
  })
})

async function checkRange(opened: OpenedMessage, plaintext: Uint8Array, start: number, end: number): Promise<void> {
  const range = await opened.read(start, end).catch(refusal)
  if (range !== undefined) expect(range).toEqual(plaintext.slice(start, end))
}

/** Undefined for an error that tells of the message; any other fails the test. */
function refusal(error: unknown): undefined {
  expect(error).toBeInstanceOf(WaxsealError)
}
