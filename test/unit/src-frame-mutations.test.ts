import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { algorithmSuite, encryptSync, WaxsealError } from '../../src/index.ts'
import type { AlgorithmSuiteId, Keyring } from '../../src/index.ts'
import { MUTATIONS } from './frame-mutations.ts'
import { keyring as aesKeyring, takeApart, text, writeFramed } from './framed-messages.ts'
import { readAsRange, WAYS_TO_READ } from './ways-to-read.ts'

const READ_ANY = { commitmentPolicy: 'require-encrypt-allow-decrypt', signedStreams: 'allow' } as const
const SUITES: readonly AlgorithmSuiteId[] = [0x0478, 0x0578, 0x0178, 0x0014]

const shapes = fc.record({
  size: fc.integer({ min: 0, max: 60 }),
  frameLength: fc.integer({ min: 1, max: 20 }),
  isFinalEmpty: fc.boolean(),
  suite: fc.constantFrom(...SUITES),
  /** Whether both messages have the same data key, and so, without a key derivation, the same message key. */
  isOneDataKey: fc.boolean(),
})

interface Shape {
  readonly frameLength: number
  readonly isFinalEmpty: boolean
  readonly suite: AlgorithmSuiteId
  readonly isOneDataKey: boolean
}

/** One data key for all messages, which no real keyring gives to suites without a key derivation. */
const oneDataKey: Required<Keyring> = {
  wrapSync: (materials) => {
    materials.setDataKey(text(materials.suite.keyBytes))
    materials.addEncryptedDataKey({ providerId: 'one', providerInfo: text(0), ciphertext: text(0) })
  },
  unwrapSync: ({ suite }) => text(suite.keyBytes),
  wrap: (materials) => {
    oneDataKey.wrapSync(materials)
  },
  unwrap: (...args) => oneDataKey.unwrapSync(...args),
}

function keyringOf({ isOneDataKey }: Shape): Keyring {
  return isOneDataKey ? oneDataKey : aesKeyring
}

function write(plaintext: Uint8Array, shape: Shape): Uint8Array {
  const { suite, frameLength, isOneDataKey } = shape
  const { isCommitting, signatureCurve } = algorithmSuite(suite)
  if (!isOneDataKey && signatureCurve === undefined) return writeFramed(plaintext, shape)
  const commitmentPolicy = isCommitting ? undefined : 'forbid-encrypt-allow-decrypt'
  return encryptSync(keyringOf(shape), plaintext, { algorithmSuite: suite, frameLength, commitmentPolicy })
}

describe.each(Object.entries(MUTATIONS))('when %s', (_, mutate) => {
  it('the message is refused in every way of reading, and no byte of another plaintext comes out', async () => {
    const property = fc.asyncProperty(shapes, fc.nat(), fc.nat(), async (shape, i, j) => {
      const { frameLength, isFinalEmpty, suite } = shape
      const isSigned = algorithmSuite(suite).signatureCurve !== undefined
      const size = isFinalEmpty ? shape.size - (shape.size % frameLength) : shape.size
      const plaintext = text(size)
      const message = write(plaintext, shape)
      const pieces = takeApart(message)
      const count = pieces.frames.length
      const mutated = mutate(pieces, takeApart(write(plaintext, shape)), i % count, j % count)
      fc.pre(!Buffer.from(mutated).equals(message))
      // A range knows nothing of a signature.
      const ways = isSigned ? WAYS_TO_READ : { ...WAYS_TO_READ, 'one range': readAsRange }
      for (const [way, read] of Object.entries(ways)) {
        const { output, error } = await read(keyringOf(shape), mutated, READ_ANY)
        expect(error, way).toBeInstanceOf(WaxsealError)
        expect(output, way).toEqual(plaintext.subarray(0, output.length))
        if (isSigned) expect(output.length, way).toBeLessThanOrEqual((count - 1) * frameLength)
      }
    })
    await fc.assert(property, { seed: 4, numRuns: 40 })
  })
})
