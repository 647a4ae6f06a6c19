import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { openBlob, parseBlob, sealBlob } from '../../kms/engine/blob.ts'
import type { Engine } from '../../kms/engine/index.ts'
import { memoryStore, type Row, type Store, type Table } from '../../kms/store/memory.ts'
import { ABSENT, ACCOUNT, REGION, ROOT_KEY, SeededRandom, newKey, openEngine, refused } from './engine-setup.ts'

// Everything that the engine stores and answers is computed here once more with node:crypto alone.

const ZERO_IV = Buffer.alloc(12)
const plaintext = Buffer.from('attack at dawn')
/** UTF-16 would sort the last two the other way round. */
const context = { ü: '', tenant: 'a', '\u{10000}': 'y', '\uffff': 'x' }

const store = memoryStore()
const random = new SeededRandom()
let engine: Engine
let keyId: string
let material: Uint8Array
let materialId: Uint8Array
let blob: Uint8Array

beforeAll(async () => {
  engine = await openEngine(store, { unsafeRandom: random.take })
  keyId = await newKey(engine)
  // Root key id, the store's secret, its salt; material id, key id, material, its salt.
  expect(random.drawn.map(({ length }) => length)).toEqual([16, 32, 32, 32, 16, 32, 32])
  materialId = random.drawn[3]!
  material = random.drawn[5]!
  blob = (await engine.call('Encrypt', { KeyId: keyId, Plaintext: plaintext, EncryptionContext: context }))
    .CiphertextBlob
})

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}

function seal(key: Uint8Array, aad: Uint8Array, secret: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, ZERO_IV).setAAD(aad)
  return Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()])
}

function contextBytes(...pairs: readonly (readonly [string, string])[]): Buffer {
  const entries = pairs.flat().flatMap((text) => [u16(Buffer.byteLength(text)), Buffer.from(text)])
  return Buffer.concat([u16(pairs.length), ...entries])
}

/** With its own commitment, unless another one is given: the tag is good then nevertheless. */
function expectedBlob(salt: Uint8Array, aadContext: Uint8Array, commitment?: Uint8Array): Buffer {
  const info = Buffer.concat([Buffer.from('waxseal-kms-blob-v1'), Buffer.from(keyId), materialId])
  const keys = Buffer.from(hkdfSync('sha512', material, salt, info, 64))
  const prefix = Buffer.concat([
    Buffer.from([1, 36]),
    Buffer.from(keyId),
    materialId,
    salt,
    commitment ?? keys.subarray(32),
  ])
  return Buffer.concat([prefix, seal(keys.subarray(0, 32), Buffer.concat([prefix, aadContext]), plaintext)])
}

describe('a ciphertext blob', () => {
  it('is what its definition says', () => {
    const salt = random.drawn[7]!
    const sorted = contextBytes(['tenant', 'a'], ['ü', ''], ['\uffff', 'x'], ['\u{10000}', 'y'])
    expect(Buffer.from(blob).toString('hex')).toBe(expectedBlob(salt, sorted).toString('hex'))
    expect(blob).toHaveLength(2 + 36 + 3 * 32 + plaintext.length + 16)
  })

  it('has no bytes for an empty context', async () => {
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId: keyId, Plaintext: plaintext })
    const salt = random.drawn.at(-1)
    expect(Buffer.from(CiphertextBlob).toString('hex')).toBe(expectedBlob(salt, new Uint8Array(0)).toString('hex'))
  })

  it('is the same in all versions', () => {
    const name = { keyId: ABSENT, materialId: 'aa'.repeat(32) }
    const salt = new Uint8Array(32).fill(0xbb)
    const serialized = contextBytes(['a', '1'])
    // Material 00 01 … 1f. The bytes behind the salt: commitment, ciphertext, tag.
    const rest =
      'c9b583258380b6db44edec2ca59e80aff9b50535cfe6a4b536f8455cefa348e81d87c73c1370957eaaf4000568c785d3d4e4b820483cf47c04e64bb9afcb'
    const known = `0124${Buffer.from(ABSENT).toString('hex')}${'aa'.repeat(32)}${'bb'.repeat(32)}${rest}`
    expect(Buffer.from(sealBlob(name, ROOT_KEY, salt, plaintext, serialized)).toString('hex')).toBe(known)
    const opened = openBlob(parseBlob(Buffer.from(known, 'hex')), ROOT_KEY, serialized)
    expect(Buffer.from(opened)).toEqual(plaintext)
  })

  it('opens after the engine was opened again', async () => {
    const again = await openEngine(store)
    const opened = await again.call('Decrypt', { CiphertextBlob: blob, EncryptionContext: context })
    expect(Buffer.from(opened.Plaintext)).toEqual(plaintext)
  })

  it('does not open with one bit changed, wherever it is', async () => {
    const idEnd = 2 + keyId.length
    for (let index = 0; index < blob.length; index += 1) {
      const calls = Array.from({ length: 8 }, async (_, bit) => {
        const changed = blob.slice()
        changed[index]! ^= 1 << bit
        const call = engine.call('Decrypt', { CiphertextBlob: changed, EncryptionContext: context })
        return { bit, changed, error: (await call.catch((reason: unknown) => reason)) as Error }
      })
      for (const { bit, changed, error } of await Promise.all(calls)) {
        const isAnotherId = index >= 2 && index < idEnd && /^[\da-f-]+$/.test(String.fromCharCode(changed[index]!))
        expect([error.name, error.message], `byte ${String(index)}, bit ${String(bit)}`).toEqual(
          isAnotherId && error.name === 'NotFoundException'
            ? ['NotFoundException', expect.stringMatching(/^Key '.*' does not exist$/)]
            : ['InvalidCiphertextException', ''],
        )
      }
    }
  })

  it('does not open with another commitment, even if the tag is good', async () => {
    const salt = new Uint8Array(32)
    const open = (CiphertextBlob: Uint8Array): Promise<unknown> => engine.call('Decrypt', { CiphertextBlob })
    await open(expectedBlob(salt, new Uint8Array(0)))
    const forged = expectedBlob(salt, new Uint8Array(0), new Uint8Array(32))
    await refused(open(forged), 'InvalidCiphertextException', '')
  })

  it('does not open shortened or lengthened', async () => {
    const Longer = Buffer.concat([blob, Buffer.alloc(1)])
    for (const CiphertextBlob of [...Array.from(blob.keys(), (length) => blob.slice(0, length + 1)), Longer]) {
      if (CiphertextBlob.length === blob.length) continue
      const call = engine.call('Decrypt', { CiphertextBlob, EncryptionContext: context })
      await refused(call, 'InvalidCiphertextException', '')
    }
  })

  it('does not open under another key of the same material id and key id', async () => {
    const other = await openEngine(memoryStore(), { unsafeRandom: alike(random, 5) })
    expect(await newKey(other)).toBe(keyId)
    const call = other.call('Decrypt', { CiphertextBlob: blob, EncryptionContext: context })
    await refused(call, 'InvalidCiphertextException', '')
  })

  it('opens in another Region that has the key', async () => {
    const replica = await openEngine(memoryStore(), { unsafeRandom: alike(random), region: 'us-west-2' })
    expect(await newKey(replica)).toBe(keyId)
    const opened = await replica.call('Decrypt', { CiphertextBlob: blob, EncryptionContext: context })
    expect(Buffer.from(opened.Plaintext)).toEqual(plaintext)
    expect(opened.KeyId).toBe(`arn:aws:kms:us-west-2:${ACCOUNT}:key/${keyId}`)
  })
})

/** Draws the same bytes again, but at one place others. */
function alike({ drawn }: SeededRandom, different?: number): (length: number) => Uint8Array {
  let count = 0
  return (length) => {
    const bytes = drawn[count]!.slice(0, length)
    if (count === different) bytes[0]! ^= 1
    count += 1
    return bytes
  }
}

function lengthPrefixed(...parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(Buffer.byteLength(part))
      return [length, Buffer.from(part)]
    }),
  )
}

async function readRow(from: Store, table: Table, id: string): Promise<Row> {
  const row = await from.transaction('read', (rows) => rows.get(table, id))
  if (!row) throw new Error(`no row ${id}`)
  return row
}

function unseal(sealed: string, ...description: readonly string[]): Buffer {
  const bytes = Buffer.from(sealed, 'hex')
  const key = Buffer.from(hkdfSync('sha512', ROOT_KEY, bytes.subarray(0, 32), 'waxseal-kms-seal-v1', 32))
  const decipher = createDecipheriv('aes-256-gcm', key, ZERO_IV)
  decipher.setAAD(lengthPrefixed('waxseal-kms-seal-v1', ...description)).setAuthTag(bytes.subarray(-16))
  return Buffer.concat([decipher.update(bytes.subarray(32, -16)), decipher.final()])
}

describe('what is stored', () => {
  const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex')

  it('is material that is sealed under the root key, for one place only', async () => {
    const id = hex(materialId)
    const { body } = await readRow(store, 'material', `${ACCOUNT}/${REGION}/${keyId}/${id}`)
    const { sealed } = JSON.parse(body) as { sealed: string }
    const place = [ACCOUNT, REGION, keyId, id, 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'AWS_KMS', hex(random.drawn[0])]
    expect(hex(unseal(sealed, 'material', ...place))).toBe(hex(material))
    expect(sealed.slice(0, 64)).toBe(hex(random.drawn[6]))
  })

  it('is an id of the root key and a sealed secret of the store', async () => {
    const { body } = await readRow(store, 'meta', 'root')
    const { rootKeyId, secret } = JSON.parse(body) as { rootKeyId: string; secret: string }
    expect(rootKeyId).toBe(hex(random.drawn[0]))
    expect(hex(unseal(secret, 'store secret', rootKeyId))).toBe(hex(random.drawn[1]))
  })

  it('is authenticated under the root key, row by row', async () => {
    const rowKey = Buffer.from(hkdfSync('sha512', ROOT_KEY, '', 'waxseal-kms-row-v1', 32))
    const keyRow = `${ACCOUNT}/${REGION}/${keyId}`
    const places: readonly [Table, string][] = [
      ['meta', 'root'],
      ['meta', `${ACCOUNT}/${REGION}`],
      ['key', keyRow],
      ['material', `${keyRow}/${hex(materialId)}`],
    ]
    for (const [table, id] of places) {
      const { owner, revision, body, mac } = await readRow(store, table, id)
      const parts = lengthPrefixed('waxseal-kms-row-v1', table, id, owner, String(revision), body)
      expect(hex(mac)).toBe(createHmac('sha256', rowKey).update(parts).digest('hex'))
    }
  })

  it('is in the index with the MAC of each row', async () => {
    const rowKey = Buffer.from(hkdfSync('sha512', ROOT_KEY, '', 'waxseal-kms-row-v1', 32))
    const { body } = await readRow(store, 'index', 'top')
    const { leaf } = JSON.parse(body) as { leaf: Readonly<Record<string, string>> }
    const keyRow = `${ACCOUNT}/${REGION}/${keyId}`
    for (const [table, id] of [
      ['key', keyRow],
      ['material', `${keyRow}/${hex(materialId)}`],
    ] as const) {
      const place = createHmac('sha256', rowKey).update(lengthPrefixed('waxseal-kms-row-v1', 'index', table, id))
      expect(leaf[place.digest('hex').slice(0, 32)]).toBe(hex((await readRow(store, table, id)).mac))
    }
  })
})
