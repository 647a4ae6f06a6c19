import { describe, expect, it } from 'vitest'
import {
  kmsBranchKeys,
  memoryBranchKeys,
  staticBranchKeys,
  type BranchKeyItem,
  type BranchKeyItems,
  type KmsBranchKeysOptions,
} from '../../kms/hierarchical/index.ts'
import { memoryBranchKeyItems } from '../../kms/hierarchical/branch-key-items.ts'
import { bytesToUuid, isUuid, randomUuid, uuidToBytes } from '../../kms/hierarchical/uuid.ts'
import type { KmsProvider } from '../../kms/index.ts'
import { FormatError, KeyUnavailableError, UnsupportedError } from '../../src/index.ts'
import { arns, provider, spied } from './keyring-setup.ts'

const [keyArn, otherArn] = arns
const NOW = Date.UTC(2023, 5, 3, 19, 3, 29, 358)
const CONTEXT = { department: 'admin', __proto__x: 'own' }

/** Notes every encryption context that the KMS is given. */
function notingContexts(): { readonly provider: KmsProvider; readonly contexts: Readonly<Record<string, string>>[] } {
  const contexts: Readonly<Record<string, string>>[] = []
  const noting = <T extends Parameters<KmsProvider['decrypt']>[0] | Parameters<KmsProvider['encrypt']>[0]>(
    request: T,
  ): T => {
    contexts.push({ ...request.encryptionContext })
    return request
  }
  return {
    contexts,
    provider: {
      generateDataKey: (request) => {
        contexts.push({ ...request.encryptionContext })
        return provider.generateDataKey(request)
      },
      encrypt: (request) => provider.encrypt(noting(request)),
      decrypt: (request) => provider.decrypt(noting(request)),
    },
  }
}

function storeOf(options: Partial<KmsBranchKeysOptions> = {}) {
  const items = memoryBranchKeyItems()
  const store = kmsBranchKeys({ name: 'logical', items, provider, keyArn, clock: () => NOW, ...options })
  return { items, store }
}

/** Puts a record in the place of another, as somebody who can write to the table. */
async function replace(
  items: BranchKeyItems,
  id: string,
  type: string,
  change: (item: BranchKeyItem) => BranchKeyItem,
) {
  const item = await items.get(id, type)
  expect(await items.put([{ item: change(item!), replaces: item!.enc }])).toBe(true)
}

describe('the records of a branch key', () => {
  it('have the attributes of the specification, all of which the KMS authenticates', async () => {
    const { provider: noting, contexts } = notingContexts()
    const { store, items } = storeOf({ provider: noting })
    const id = await store.createKey({ branchKeyId: 'b1', encryptionContext: CONTEXT })
    expect(id).toBe('b1')
    const active = await items.get('b1', 'branch:ACTIVE')
    const { version = '' } = active!.attributes
    expect(version).toMatch(/^branch:version:/)
    const shared = {
      'branch-key-id': 'b1',
      'kms-arn': keyArn,
      'create-time': '2023-06-03T19:03:29.358000Z',
      'hierarchy-version': '1',
      'aws-crypto-ec:department': 'admin',
      'aws-crypto-ec:__proto__x': 'own',
    }
    const records = [
      { ...shared, type: version },
      { ...shared, type: 'branch:ACTIVE', version },
      { ...shared, type: 'beacon:ACTIVE' },
    ]
    expect(active!.attributes).toEqual(records[1])
    expect((await items.get('b1', version))!.attributes).toEqual(records[0])
    expect((await items.get('b1', 'beacon:ACTIVE'))!.attributes).toEqual(records[2])
    expect(contexts).toEqual(records.map((record) => ({ ...record, tablename: 'logical' })))
  })

  it('answer one key as the active one and by its version, and another as the beacon key', async () => {
    const { store } = storeOf()
    const branchKeyId = await store.createKey()
    expect(isUuid(branchKeyId)).toBe(true)
    const active = await store.getActiveBranchKey({ branchKeyId })
    expect(active.branchKey).toHaveLength(32)
    expect(await store.getBranchKeyVersion({ branchKeyId, version: active.version })).toEqual(active)
    const beacon = await store.getBeaconKey({ branchKeyId })
    expect(beacon.beaconKey).toHaveLength(32)
    expect(beacon.beaconKey).not.toEqual(active.branchKey)
    expect(active.encryptionContext).toEqual({})
  })

  it('carry the context of the branch key on to its versions', async () => {
    const { store, items } = storeOf()
    await store.createKey({ branchKeyId: 'b1', encryptionContext: CONTEXT })
    const first = await store.getActiveBranchKey({ branchKeyId: 'b1' })
    const version = await store.versionKey({ branchKeyId: 'b1' })
    const second = await store.getActiveBranchKey({ branchKeyId: 'b1' })
    expect(second.version).toBe(version)
    expect(second.version).not.toBe(first.version)
    expect(second.branchKey).not.toEqual(first.branchKey)
    expect(second.encryptionContext).toEqual(CONTEXT)
    expect(await store.getBranchKeyVersion({ branchKeyId: 'b1', version: first.version })).toEqual(first)
    expect((await items.get('b1', 'branch:ACTIVE'))!.attributes.version).toBe(`branch:version:${version}`)
  })

  it('are never replaced by a key of the same name, nor by two new versions at once', async () => {
    const { store } = storeOf()
    await store.createKey({ branchKeyId: 'b1', encryptionContext: CONTEXT })
    const before = await store.getActiveBranchKey({ branchKeyId: 'b1' })
    const again = store.createKey({ branchKeyId: 'b1', encryptionContext: CONTEXT })
    await expect(again).rejects.toMatchObject({ name: 'AlreadyExistsException' })
    expect(await store.getActiveBranchKey({ branchKeyId: 'b1' })).toEqual(before)
    const both = await Promise.allSettled([1, 2].map(() => store.versionKey({ branchKeyId: 'b1' })))
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const refused = both.find(({ status }) => status === 'rejected') as PromiseRejectedResult
    expect(refused.reason).toMatchObject({ name: 'KMSInvalidStateException' })
  })
})

describe('a record that was changed', () => {
  it.each([['kms-arn', 'create-time', 'version', 'aws-crypto-ec:department', 'aws-crypto-ec:new', 'other']].flat())(
    'in %s does not open',
    async (name) => {
      const { store, items } = storeOf({ keyArn: undefined, discovery: true })
      const writer = storeOf({ items }).store
      await writer.createKey({ branchKeyId: 'b1', encryptionContext: CONTEXT })
      const value = name === 'kms-arn' ? otherArn : `branch:version:${randomUuid()}`
      const change = ({ attributes, enc }: BranchKeyItem) => ({ attributes: { ...attributes, [name]: value }, enc })
      await replace(items, 'b1', 'branch:ACTIVE', change)
      await expect(store.getActiveBranchKey({ branchKeyId: 'b1' })).rejects.toMatchObject({ code: 'ERR_WAXSEAL_KMS' })
      if (name !== 'kms-arn') await expect(writer.versionKey({ branchKeyId: 'b1' })).rejects.toThrow()
    },
  )

  it('in its place does not open', async () => {
    const { store, items } = storeOf()
    await store.createKey({ branchKeyId: 'b1', encryptionContext: CONTEXT })
    await store.createKey({ branchKeyId: 'b2', encryptionContext: CONTEXT })
    const other = await items.get('b2', 'branch:ACTIVE')
    await replace(items, 'b1', 'branch:ACTIVE', ({ attributes }) => ({ attributes, enc: other!.enc }))
    await expect(store.getActiveBranchKey({ branchKeyId: 'b1' })).rejects.toMatchObject({ code: 'ERR_WAXSEAL_KMS' })
    await replace(items, 'b1', 'branch:ACTIVE', ({ enc }) => ({ attributes: other!.attributes, enc })).catch(
      () => undefined,
    )
    await expect(store.getActiveBranchKey({ branchKeyId: 'b1' })).rejects.toThrow()
  })

  it('belongs to the logical name of its store', async () => {
    const { store, items } = storeOf()
    const branchKeyId = await store.createKey()
    const renamed = storeOf({ items, name: 'another' }).store
    await expect(renamed.getActiveBranchKey({ branchKeyId })).rejects.toMatchObject({ code: 'ERR_WAXSEAL_KMS' })
  })

  it('into none is refused before the KMS is asked', async () => {
    const { provider: counted, calls } = spied()
    const answers: readonly [(item: BranchKeyItem) => BranchKeyItem, unknown][] = [
      [({ attributes, enc }) => ({ attributes: { ...attributes, 'branch-key-id': 'b2' }, enc }), FormatError],
      [({ attributes, enc }) => ({ attributes: { ...attributes, type: 'branch:version:x' }, enc }), FormatError],
      [({ attributes, enc }) => ({ attributes: { ...attributes, version: 'x' }, enc }), FormatError],
      [({ attributes, enc }) => ({ attributes: { ...attributes, 'create-time': '' }, enc }), FormatError],
      [({ attributes, enc }) => ({ attributes: { ...attributes, tablename: 'x' }, enc }), FormatError],
      [({ attributes }) => ({ attributes, enc: new Uint8Array(0) }), FormatError],
      [({ attributes, enc }) => ({ attributes: { ...attributes, 'hierarchy-version': '3' }, enc }), UnsupportedError],
      [({ attributes, enc }) => ({ attributes: { ...attributes, 'kms-arn': 'alias/demo' }, enc }), KeyUnavailableError],
      [({ attributes, enc }) => ({ attributes: { ...attributes, 'kms-arn': otherArn }, enc }), KeyUnavailableError],
    ]
    const { store, items } = storeOf()
    const branchKeyId = await store.createKey()
    for (const [change, expected] of answers) {
      const changed: BranchKeyItems = {
        ...items,
        get: async (id, type) => {
          const item = await items.get(id, type)
          return item && change(item)
        },
      }
      const reader = storeOf({ items: changed, provider: counted }).store
      await expect(reader.getActiveBranchKey({ branchKeyId })).rejects.toBeInstanceOf(expected)
    }
    expect(calls).toEqual([])
  })
})

describe('a branch key store', () => {
  it('says what is not there', async () => {
    const { store } = storeOf()
    const absent = { name: 'NotFoundException' }
    await expect(store.getActiveBranchKey({ branchKeyId: 'none' })).rejects.toMatchObject(absent)
    await expect(store.getBeaconKey({ branchKeyId: 'none' })).rejects.toMatchObject(absent)
    await expect(store.versionKey({ branchKeyId: 'none' })).rejects.toMatchObject(absent)
    const version = randomUuid()
    await expect(store.getBranchKeyVersion({ branchKeyId: 'none', version })).rejects.toMatchObject(absent)
    await expect(store.getBranchKeyVersion({ branchKeyId: 'b', version: 'x' })).rejects.toBeInstanceOf(TypeError)
  })

  it('by discovery reads and makes nothing', async () => {
    const { store, items } = storeOf()
    const branchKeyId = await store.createKey()
    const reader = storeOf({ items, keyArn: undefined, discovery: true }).store
    expect(await reader.getActiveBranchKey({ branchKeyId })).toEqual(await store.getActiveBranchKey({ branchKeyId }))
    await expect(reader.createKey()).rejects.toBeInstanceOf(UnsupportedError)
    await expect(reader.versionKey({ branchKeyId })).rejects.toBeInstanceOf(UnsupportedError)
  })

  it('refuses what is none', async () => {
    for (const options of [
      { keyArn: undefined },
      { discovery: true as const },
      { keyArn: 'alias/demo' },
      { provider: {} as KmsProvider },
      { items: {} as BranchKeyItems },
      { name: 5 as never },
    ]) {
      expect(() => storeOf(options)).toThrow(TypeError)
    }
    expect(() => memoryBranchKeys({ name: '', provider, keyArn })).toThrow(RangeError)
    const { store } = storeOf()
    await expect(store.createKey({ branchKeyId: 'b1' })).rejects.toThrow('encryptionContext')
    await expect(store.createKey({ encryptionContext: { a: 1 as never } })).rejects.toBeInstanceOf(TypeError)
  })

  it('refuses what a KMS answers about another key or of another length, and wipes it', async () => {
    const plaintext = new Uint8Array(32).fill(9)
    const answer = { keyId: otherArn, plaintext, ciphertext: Uint8Array.of(1) }
    const wrong = storeOf({ provider: spied({ generateDataKey: () => Promise.resolve(answer) }).provider }).store
    await expect(wrong.createKey()).rejects.toBeInstanceOf(KeyUnavailableError)
    expect(plaintext.every((byte) => byte === 0)).toBe(true)
    const { store, items } = storeOf()
    const branchKeyId = await store.createKey()
    const short = { keyId: keyArn, plaintext: new Uint8Array(31).fill(9) }
    const reader = storeOf({ items, provider: spied({ decrypt: () => Promise.resolve(short) }).provider }).store
    await expect(reader.getActiveBranchKey({ branchKeyId })).rejects.toBeInstanceOf(KeyUnavailableError)
    expect(short.plaintext.every((byte) => byte === 0)).toBe(true)
  })
})

it('takes Buffers for the answers of a KMS, and keeps no zeros for a key', async () => {
  const inBuffers: KmsProvider = {
    generateDataKey: async (request) => {
      const answer = await provider.generateDataKey(request)
      return { ...answer, plaintext: Buffer.from(answer.plaintext), ciphertext: Buffer.from(answer.ciphertext) }
    },
    encrypt: async (request) => {
      const answer = await provider.encrypt(request)
      return { ...answer, ciphertext: Buffer.from(answer.ciphertext) }
    },
    decrypt: async (request) => {
      const answer = await provider.decrypt(request)
      return { ...answer, plaintext: Buffer.from(answer.plaintext) }
    },
  }
  const items = memoryBranchKeyItems()
  const { store } = storeOf({ items, provider: inBuffers })
  const branchKeyId = await store.createKey()
  const expected = storeOf({ items }).store
  const { branchKey, version } = await store.getActiveBranchKey({ branchKeyId })
  expect(branchKey).toEqual((await expected.getActiveBranchKey({ branchKeyId })).branchKey)
  expect((await store.getBranchKeyVersion({ branchKeyId, version })).branchKey).toEqual(branchKey)
  expect((await store.getBeaconKey({ branchKeyId })).beaconKey).toEqual(
    (await expected.getBeaconKey({ branchKeyId })).beaconKey,
  )
  expect(branchKey.some((byte) => byte !== 0)).toBe(true)
})

describe('a static branch key', () => {
  it('is answered in fresh bytes, and no other is', async () => {
    const version = randomUuid()
    const branchKey = new Uint8Array(32).fill(7)
    const store = staticBranchKeys({ branchKeyId: 'b1', version, branchKey, beaconKey: new Uint8Array(32).fill(8) })
    branchKey.fill(0)
    const first = await store.getActiveBranchKey({ branchKeyId: 'b1' })
    first.branchKey.fill(0)
    const second = await store.getBranchKeyVersion({ branchKeyId: 'b1', version })
    expect(second.branchKey).toEqual(new Uint8Array(32).fill(7))
    expect((await store.getBeaconKey({ branchKeyId: 'b1' })).beaconKey).toEqual(new Uint8Array(32).fill(8))
    const absent = { name: 'NotFoundException' }
    await expect(store.getActiveBranchKey({ branchKeyId: 'b2' })).rejects.toMatchObject(absent)
    await expect(store.getBranchKeyVersion({ branchKeyId: 'b1', version: randomUuid() })).rejects.toMatchObject(absent)
    expect(() => staticBranchKeys({ branchKeyId: 'b1', version: 'x', branchKey })).toThrow(TypeError)
    expect(() => staticBranchKeys({ branchKeyId: 'b1', version, branchKey: new Uint8Array(16) })).toThrow(RangeError)
  })
})

describe('UUIDs', () => {
  it('are random, of version 4, and the same as bytes', () => {
    const uuid = randomUuid()
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(bytesToUuid(uuidToBytes(uuid))).toBe(uuid)
    expect(randomUuid()).not.toBe(uuid)
  })
})
