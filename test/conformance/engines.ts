import { algorithmSuite, decrypt, decryptSync, encrypt, encryptSync, inspect, type AlgorithmSuite } from 'waxseal'
import { aesGcm, hkdf } from 'waxseal/core'
import { bigEndian, concat, pattern, utf8 } from './bytes.ts'
import { equal, rejects, sameBytes, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { staticKeyring } from './keyrings.ts'
import { nameOf, policyOf } from './round-trips.ts'
import { group, type Case, type Runtime } from './runtime.ts'

type Engine = 'auto' | 'wasm' | 'host'

const ENGINES: readonly Engine[] = ['auto', 'wasm', 'host']

/** One of each key length, and one that derives its key and commits to it. */
const SUITES = ([0x0014, 0x0046, 0x0078, 0x0478] as const).map((id) => algorithmSuite(id))

/** Plaintext and frame lengths on both sides of where the runtime's own AES takes over. */
const SIZES = [
  [0, 4096],
  [1, 4096],
  [500, 100],
  [4096, 4096],
  [70_001, 4096],
  [70_001, 65_536],
  [300_000, 1_048_576],
] as const

const DATA_KEYS: ReadonlyMap<number, Uint8Array> = new Map([16, 24, 32].map((bytes) => [bytes, pattern(bytes, 6)]))

function dataKeyOf({ keyBytes }: AlgorithmSuite): Uint8Array {
  return DATA_KEYS.get(keyBytes)!
}

/** data-format/message-body.md and message-body-aad.md, by the core alone, which the published vectors have checked. */
function expectedBody(
  suite: AlgorithmSuite,
  messageId: Uint8Array,
  plaintext: Uint8Array,
  frameLength: number,
): Uint8Array {
  const dataKey = dataKeyOf(suite)
  const info = concat(bigEndian(suite.id, 2), utf8('DERIVEKEY'))
  const key = suite.isCommitting ? hkdf('sha512', dataKey, { salt: messageId, info, length: 32 }) : dataKey
  const cipher = aesGcm(key)
  const frames: Uint8Array[] = []
  const count = Math.max(1, Math.ceil(plaintext.length / frameLength))
  for (let sequenceNumber = 1; sequenceNumber <= count; sequenceNumber++) {
    const content = plaintext.subarray((sequenceNumber - 1) * frameLength, sequenceNumber * frameLength)
    const isFinal = sequenceNumber === count
    const number = bigEndian(sequenceNumber, 4)
    const iv = bigEndian(sequenceNumber, 12)
    const kind = utf8(`AWSKMSEncryptionClient ${isFinal ? 'Final Frame' : 'Frame'}`)
    const sealed = cipher.encrypt(iv, content, concat(messageId, kind, number, bigEndian(content.length, 8)))
    frames.push(
      isFinal
        ? concat(bigEndian(0xffffffff, 4), number, iv, bigEndian(content.length, 4), sealed)
        : concat(number, iv, sealed),
    )
  }
  cipher.dispose()
  return concat(...frames)
}

/** What an engine is expected to do with a suite: nothing, only what may take its time, or everything. */
function reachOf(engine: Engine, { keyBytes }: AlgorithmSuite, runtime: Runtime): 'none' | 'later' | 'all' {
  if (engine !== 'host') return 'all'
  if (keyBytes === 24 && !runtime.hasHostAes192) return 'none'
  return runtime.hasSyncHost ? 'all' : 'later'
}

async function equalBytes(suite: AlgorithmSuite, runtime: Runtime): Promise<void> {
  for (const [length, frameLength] of SIZES) {
    const plaintext = pattern(length, length)
    for (const engine of ENGINES) {
      for (const message of await writeBy(engine, suite, plaintext, frameLength, runtime)) {
        const { byteLength, messageId } = inspect(message)
        const expected = expectedBody(suite, messageId, plaintext, frameLength)
        sameBytes(message.subarray(byteLength), expected, `${length} bytes in frames of ${frameLength} by ${engine}`)
        for (const reader of ENGINES) await readBy(reader, suite, message, plaintext, runtime)
      }
    }
  }
}

/** The message as `encrypt` and as `encryptSync` write it; each must refuse where it cannot. */
async function writeBy(
  engine: Engine,
  suite: AlgorithmSuite,
  plaintext: Uint8Array,
  frameLength: number,
  runtime: Runtime,
): Promise<readonly Uint8Array[]> {
  const keyring = staticKeyring(dataKeyOf(suite))
  const options = { commitmentPolicy: policyOf(suite), algorithmSuite: suite.id, frameLength, engine }
  const reach = reachOf(engine, suite, runtime)
  const messages: Uint8Array[] = []
  if (reach === 'none') await rejects(() => encrypt(keyring, plaintext, options), EXPECTED.unsupported, 'encrypt')
  else messages.push(await encrypt(keyring, plaintext, options))
  if (reach === 'all') messages.push(encryptSync(keyring, plaintext, options))
  else throws(() => encryptSync(keyring, plaintext, options), EXPECTED.unsupported, 'encryptSync')
  return messages
}

async function readBy(
  engine: Engine,
  suite: AlgorithmSuite,
  message: Uint8Array,
  expected: Uint8Array,
  runtime: Runtime,
): Promise<void> {
  const keyring = staticKeyring(dataKeyOf(suite))
  const options = { commitmentPolicy: policyOf(suite), engine }
  const reach = reachOf(engine, suite, runtime)
  const later = async (): Promise<Uint8Array> => (await decrypt(keyring, message, options)).plaintext
  const now = (): Uint8Array => decryptSync(keyring, message, options).plaintext
  if (reach === 'none') await rejects(later, EXPECTED.unsupported, 'decrypt')
  else sameBytes(await later(), expected, `the plaintext, read by ${engine}`)
  if (reach === 'all') sameBytes(now(), expected, `the plaintext, read at once by ${engine}`)
  else throws(now, EXPECTED.unsupported, 'decryptSync')
}

async function notAuthentic(): Promise<void> {
  const suite = algorithmSuite(0x0478)
  const keyring = staticKeyring(dataKeyOf(suite))
  for (const engine of ENGINES) {
    const message = await encrypt(keyring, pattern(200_000), { frameLength: 65_536, engine })
    for (const at of [message.length - 1, message.length - 100_000, inspect(message).byteLength + 20]) {
      const changed = message.slice()
      changed[at]! ^= 1
      await rejects(() => decrypt(keyring, changed, { engine }), EXPECTED.authentication, `byte ${at} by ${engine}`)
    }
    await rejects(() => decrypt(keyring, message.subarray(0, -1), { engine }), EXPECTED.format, `cut, by ${engine}`)
  }
}

/** How often `act` calls WebCrypto's AES. */
async function webCryptoCalls(act: () => Promise<unknown>): Promise<number> {
  const subtle = crypto.subtle as unknown as Record<'encrypt' | 'decrypt', (...args: unknown[]) => unknown>
  let calls = 0
  for (const name of ['encrypt', 'decrypt'] as const) {
    const method = subtle[name].bind(subtle)
    subtle[name] = (...args) => {
      calls += 1
      return method(...args)
    }
  }
  try {
    await act()
    return calls
  } finally {
    // Those of the prototype show again.
    for (const name of ['encrypt', 'decrypt'] as const) Reflect.deleteProperty(subtle, name)
  }
}

async function usedEngine({ hasSyncHost }: Runtime): Promise<void> {
  const keyring = staticKeyring(pattern(32))
  for (const engine of ENGINES) {
    for (const length of [100, 2_000_000]) {
      const calls = await webCryptoCalls(async () => {
        const message = await encrypt(keyring, pattern(length), { frameLength: 65_536, engine })
        await decrypt(keyring, message, { engine })
      })
      // Where it answers at once, the runtime's AES is node:crypto.
      const isExpected = !hasSyncHost && (engine === 'host' || (engine === 'auto' && length > 100))
      equal(calls > 0, isExpected, `WebCrypto for ${length} bytes by ${engine}`)
    }
  }
}

async function unknownEngine(): Promise<void> {
  const keyring = staticKeyring(pattern(32))
  const options = { engine: 'gpu' as Engine }
  const message = await encrypt(keyring, pattern(3))
  await rejects(() => encrypt(keyring, pattern(3), options), EXPECTED.type, 'encrypt')
  await rejects(() => decrypt(keyring, message, options), EXPECTED.type, 'decrypt')
  equal((await decrypt(keyring, message)).plaintext.length, 3, 'the plaintext')
}

/** Whichever engine works, the bytes are the same: those that the core gives for the format's constructions. */
export const engineCases: readonly Case[] = [
  ...SUITES.map((suite): Case => ({
    name: `engines: equal bytes of ${nameOf(suite)}`,
    run: (runtime) => equalBytes(suite, runtime),
  })),
  ...group('engines', {
    'a changed byte': notAuthentic,
    'the one that is asked for': usedEngine,
    'an engine that is none': unknownEngine,
  }),
]
