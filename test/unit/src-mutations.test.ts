import fc from 'fast-check'
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  algorithmSuites,
  decryptSync,
  encryptSync,
  FormatError,
  multiKeyring,
  rawAesKeyring,
  rawRsaKeyring,
  WaxsealError,
} from '../../src/index.ts'
import type { AlgorithmSuiteId, DecryptSyncOptions, EncryptSyncOptions, Keyring } from '../../src/index.ts'

const aes = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey: new Uint8Array(32).fill(7) })
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const oaep = rawRsaKeyring({ namespace: 'test', name: 'k2', padding: 'oaep-sha256', publicKey, privateKey })
const both = multiKeyring({ generator: oaep, children: [aes] })
const plaintext = new TextEncoder().encode('nobody must read a byte of this')
const READ_ANY = { commitmentPolicy: 'require-encrypt-allow-decrypt' } as const
const FORBID = { commitmentPolicy: 'forbid-encrypt-allow-decrypt' } as const
const required = { encryptionContext: { tenant: 'a', b: '2' }, requiredEncryptionContextKeys: ['tenant'] }

interface Sample {
  readonly name: string
  readonly keyring: Keyring
  readonly write: EncryptSyncOptions
  readonly read: DecryptSyncOptions
  /** All eight bits of every byte; else one of each, which one depends on its place. */
  readonly everyBit: boolean
}

const SAMPLES: readonly Sample[] = [
  {
    name: '0x0478 of three frames',
    keyring: aes,
    write: { frameLength: 12, ...required },
    read: required,
    everyBit: true,
  },
  {
    name: '0x0178 of one frame',
    keyring: aes,
    write: { algorithmSuite: 0x0178, ...FORBID },
    read: READ_ANY,
    everyBit: true,
  },
  {
    name: '0x0014 without pairs',
    keyring: aes,
    write: { algorithmSuite: 0x0014, frameLength: 1, ...FORBID },
    read: READ_ANY,
    everyBit: false,
  },
  {
    name: '0x0578, signed',
    keyring: aes,
    write: { algorithmSuite: 0x0578, frameLength: 20 },
    read: {},
    everyBit: false,
  },
  {
    name: '0x0214, signed',
    keyring: aes,
    write: { algorithmSuite: 0x0214, ...FORBID },
    read: READ_ANY,
    everyBit: false,
  },
  { name: 'a multi-keyring with RSA', keyring: both, write: {}, read: {}, everyBit: false },
]

/** The error of a decryption that must not succeed. */
function refusal(keyring: Keyring, message: Uint8Array, options: DecryptSyncOptions): unknown {
  try {
    decryptSync(keyring, message, options)
  } catch (error) {
    return error
  }
  return 'it was decrypted'
}

describe.each(SAMPLES)('a message ($name)', ({ keyring, write, read, everyBit }) => {
  const message = encryptSync(keyring, plaintext, write)

  it('opens as it is', () => {
    expect(decryptSync(keyring, message, read).plaintext).toEqual(plaintext)
  })

  it('does not open with a bit flipped at any place', () => {
    const survivors: unknown[] = []
    for (let place = 0; place < message.length; place++) {
      const bits = everyBit ? [0, 1, 2, 3, 4, 5, 6, 7] : [(place * 5) % 8]
      for (const bit of bits) {
        const changed = message.slice()
        changed[place]! ^= 1 << bit
        const error = refusal(keyring, changed, read)
        if (!(error instanceof WaxsealError)) survivors.push([place, bit, error])
      }
    }
    expect(survivors).toEqual([])
  })

  it('does not open cut off at any place', () => {
    const survivors: unknown[] = []
    for (let length = 0; length < message.length; length++) {
      const error = refusal(keyring, message.slice(0, length), read)
      if (!(error instanceof FormatError)) survivors.push([length, error])
    }
    expect(survivors).toEqual([])
  })

  it('does not open with bytes after it, or twice', () => {
    const tails = [Uint8Array.of(0), Uint8Array.of(0xff), new Uint8Array(40), message]
    for (const tail of tails) {
      expect(refusal(keyring, Buffer.concat([message, tail]), read)).toBeInstanceOf(FormatError)
    }
  })

  it('does not open with bytes taken out or put in at any place', () => {
    const survivors: unknown[] = []
    for (let place = 0; place < message.length; place++) {
      const without = Buffer.concat([message.subarray(0, place), message.subarray(place + 1)])
      const extra = Buffer.concat([message.subarray(0, place), Uint8Array.of(place), message.subarray(place)])
      for (const changed of [without, extra]) {
        const error = refusal(keyring, changed, read)
        if (!(error instanceof WaxsealError)) survivors.push([place, error])
      }
    }
    expect(survivors).toEqual([])
  })
})

describe('any message', () => {
  const unicode = fc.string({ unit: 'grapheme', maxLength: 12 })
  const context = fc.dictionary(
    unicode.filter((key) => !key.startsWith('aws-crypto-')),
    unicode,
    { maxKeys: 5 },
  )
  const unsigned = algorithmSuites.filter(({ signatureCurve }) => signatureCurve === undefined).map(({ id }) => id)
  const arbitrary = fc.record({
    plaintext: fc.uint8Array({ maxLength: 400 }),
    frameLength: fc.integer({ min: 1, max: 300 }),
    algorithmSuite: fc.constantFrom<AlgorithmSuiteId>(...unsigned),
    encryptionContext: context,
  })

  it('opens to what was sealed', () => {
    fc.assert(
      fc.property(arbitrary, ({ plaintext: bytes, ...options }) => {
        const message = encryptSync(aes, bytes, { ...options, ...(options.algorithmSuite === 0x0478 ? {} : FORBID) })
        const opened = decryptSync(aes, message, { ...READ_ANY, encryptionContext: options.encryptionContext })
        expect(opened.plaintext).toEqual(bytes)
        expect({ ...opened.header.encryptionContext }).toEqual({ ...options.encryptionContext })
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  it('does not open once several of its bytes are others', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(arbitrary, changes, ({ plaintext: bytes, ...options }, places) => {
        const message = encryptSync(aes, bytes, { ...options, ...(options.algorithmSuite === 0x0478 ? {} : FORBID) })
        const changed = message.slice()
        for (const [place, difference] of places) changed[place % message.length]! ^= difference
        fc.pre(!Buffer.from(changed).equals(message))
        expect(refusal(aes, changed, READ_ANY)).toBeInstanceOf(WaxsealError)
      }),
      { seed: 2, numRuns: 500 },
    )
  })

  it('is not what random bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(refusal(aes, bytes, READ_ANY)).toBeInstanceOf(FormatError)
      }),
      { seed: 3, numRuns: 500 },
    )
  })
})
