import { cachingMaterials, inspect, rawAesKeyring, type Keyring } from 'waxseal'
import {
  createFieldSession,
  createFieldSessionSync,
  FIELD_OVERHEAD_BYTES,
  openFieldSession,
  openFieldSessionSync,
} from 'waxseal/field-session'
import { fromHex, pattern } from './bytes.ts'
import { equal, isFresh, rejects, sameBytes, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { FIELD_SESSIONS, type FieldSessionVector } from './field-vectors.ts'
import { aesKeyring } from './keyrings.ts'
import { group, type Case } from './runtime.ts'

const FIELD = 'email'
const RECORD = 'user/1'
const encryptionContext = { tenant: 'a' }

async function vector(given: FieldSessionVector): Promise<void> {
  const { namespace, name, requiredEncryptionContextKeys } = given
  const keyring = rawAesKeyring({ namespace, name, wrappingKey: fromHex(given.wrappingKey) })
  const options = { encryptionContext: given.encryptionContext, requiredEncryptionContextKeys }
  for (const reader of [
    openFieldSessionSync(keyring, fromHex(given.header), options),
    await openFieldSession(keyring, fromHex(given.header), options),
  ]) {
    for (const { field, record, plaintext, value } of given.values) {
      sameBytes(reader.decrypt(field, record, fromHex(value)), fromHex(plaintext), `${field} of ${record}`)
    }
    reader.dispose()
  }
}

async function roundTrip(): Promise<void> {
  const keyring = aesKeyring()
  for (const session of [
    createFieldSessionSync(keyring, { encryptionContext }),
    await createFieldSession(keyring, { encryptionContext }),
  ]) {
    const reader = await openFieldSession(keyring, session.header, { encryptionContext })
    equal(reader.encryptionContext.tenant, 'a', 'the context')
    for (const length of [0, 1, 64, 1000, 100_000]) {
      const value = session.encrypt(FIELD, RECORD, pattern(length))
      equal(value.length, length + FIELD_OVERHEAD_BYTES, 'the length of the value')
      isFresh(value, 'the value')
      const opened = reader.decrypt(FIELD, RECORD, value)
      isFresh(opened, 'the plaintext')
      sameBytes(opened, pattern(length), 'the plaintext')
      const output = new Uint8Array(length + FIELD_OVERHEAD_BYTES)
      const written = session.encryptInto(FIELD, RECORD, pattern(length), output)
      equal(written, output.length, 'the bytes written')
      equal(reader.decryptInto(FIELD, RECORD, output, value), length, 'the bytes read')
      sameBytes(value.subarray(0, length), pattern(length), 'the plaintext in the output')
    }
  }
}

function places(): void {
  const session = createFieldSessionSync(aesKeyring())
  const value = session.encrypt('ab', 'c', pattern(10))
  for (const [field, record] of [
    ['a', 'bc'],
    ['ab', 'd'],
    ['c', 'ab'],
    ['äb', 'c'],
  ] as const) {
    throws(() => session.decrypt(field, record, value), EXPECTED.authentication, `${field} of ${record}`)
  }
  for (let at = 5; at < value.length; at++) {
    const changed = value.slice()
    changed[at]! ^= 1
    const output = pattern(10, 9)
    throws(() => session.decryptInto('ab', 'c', changed, output), EXPECTED.authentication, `byte ${at}`)
    sameBytes(output, pattern(10, 9), 'the output')
  }
  throws(() => session.decrypt('ab', 'c', value.subarray(0, 20)), EXPECTED.format, 'less than a value')
  throws(() => session.encrypt('', 'c', pattern(1)), EXPECTED.range, 'no field')
  throws(() => session.encrypt('ab', undefined as never, pattern(1)), EXPECTED.type, 'no record')
}

async function headers(): Promise<void> {
  const keyring = aesKeyring()
  const { header } = createFieldSessionSync(keyring, { encryptionContext })
  throws(() => inspect(header), EXPECTED.format, 'a session is no message')
  for (const at of [4, header.length - 40, header.length - 1]) {
    const changed = header.slice()
    changed[at]! ^= 1
    const expected = at === 4 ? EXPECTED.format : EXPECTED.authentication
    await rejects(() => openFieldSession(keyring, changed), expected, `byte ${at}`)
  }
  const other = { encryptionContext: { tenant: 'b' } }
  await rejects(() => openFieldSession(keyring, header, other), EXPECTED.encryptionContext, 'another tenant')
  await rejects(() => openFieldSession(aesKeyring(32, 'other'), header), EXPECTED.keyUnavailable, 'another key')
}

function limits(): void {
  const session = createFieldSessionSync(aesKeyring(), { maxValues: 2, maxBytes: 100 })
  throws(() => session.encrypt(FIELD, RECORD, pattern(101)), EXPECTED.limit, 'more bytes')
  session.encrypt(FIELD, RECORD, pattern(100))
  const value = session.encrypt(FIELD, RECORD, pattern(0))
  throws(() => session.encrypt(FIELD, RECORD, pattern(0)), EXPECTED.limit, 'more values')
  session.dispose()
  throws(() => session.encrypt(FIELD, RECORD, pattern(0)), EXPECTED.disposed, 'encrypt')
  throws(() => session.decrypt(FIELD, RECORD, value), EXPECTED.disposed, 'decrypt')
}

async function sources(): Promise<void> {
  const keyring = aesKeyring()
  const slow: Keyring = { wrap: (materials) => keyring.wrap(materials), unwrap: (...args) => keyring.unwrap(...args) }
  throws(() => createFieldSessionSync(slow), EXPECTED.unsupported, 'createFieldSessionSync')
  const materials = cachingMaterials({ keyring: slow, maxAge: 60 })
  const first = await createFieldSession(materials)
  const value = createFieldSessionSync(materials).encrypt(FIELD, RECORD, pattern(5))
  throws(() => first.decrypt(FIELD, RECORD, value), EXPECTED.authentication, 'the value of another session')
  throws(() => openFieldSessionSync(slow, first.header), EXPECTED.unsupported, 'openFieldSessionSync')
  await openFieldSession(materials, first.header)
  openFieldSessionSync(materials, first.header)
}

/** The sessions of `waxseal/field-session`. */
export const fieldSessionCases: readonly Case[] = [
  ...FIELD_SESSIONS.map((given) => ({ name: `field session: vector with ${given.what}`, run: () => vector(given) })),
  ...group('field session', {
    'values written and read': roundTrip,
    'a value in another place, or changed': places,
    'a header that is changed or foreign': headers,
    'limits and disposal': limits,
    'from a cache, and keyrings that wait': sources,
  }),
]
