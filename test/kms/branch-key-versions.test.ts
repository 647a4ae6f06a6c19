import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { memoryBranchKeyItems } from '../../kms/hierarchical/branch-key-items.ts'
import { kmsBranchKeys, type BranchKeyItem, type KmsBranchKeysOptions } from '../../kms/hierarchical/index.ts'
import type { KmsProvider } from '../../kms/index.ts'
import { AuthenticationError, FormatError, KeyUnavailableError } from '../../src/index.ts'
import { arns, provider } from './keyring-setup.ts'

const [keyArn, otherArn] = arns
const CONTEXT = { department: 'admin', __proto__x: 'own' }

function storeOf(options: Partial<KmsBranchKeysOptions> = {}) {
  const items = memoryBranchKeyItems()
  const store = kmsBranchKeys({ name: 'logical', items, provider, keyArn, ...options })
  return { items, store }
}

/** A provider with the three calls that all have, and no Region. */
const plainProvider: KmsProvider = {
  generateDataKey: (request) => provider.generateDataKey(request),
  encrypt: (request) => provider.encrypt(request),
  decrypt: (request) => provider.decrypt(request),
}

/** A provider that notes what it is asked, as the one of the engine with all of its calls. */
function noting() {
  const asked: [name: string, encryptionContext: object][] = []
  const note = (name: string, encryptionContext: object): void => void asked.push([name, { ...encryptionContext }])
  const noted: KmsProvider = {
    ...provider,
    generateDataKey: (request) => {
      note('generateDataKey', request.encryptionContext)
      return provider.generateDataKey(request)
    },
    encrypt: (request) => {
      note('encrypt', request.encryptionContext)
      return provider.encrypt(request)
    },
    decrypt: (request) => {
      note('decrypt', request.encryptionContext)
      return provider.decrypt(request)
    },
    generateDataKeyWithoutPlaintext: (request) => {
      note('generateDataKeyWithoutPlaintext', request.encryptionContext)
      return provider.generateDataKeyWithoutPlaintext!(request)
    },
    reEncrypt: (request) => {
      note('reEncrypt', request.encryptionContext)
      return provider.reEncrypt!(request)
    },
  }
  return { asked, noted }
}

describe('hierarchy version 1', () => {
  it('makes keys that never leave the KMS, where the provider can', async () => {
    const { asked, noted } = noting()
    const { store } = storeOf({ provider: noted })
    const branchKeyId = await store.createKey()
    expect(asked.map(([name]) => name)).toEqual([
      'generateDataKeyWithoutPlaintext',
      'reEncrypt',
      'generateDataKeyWithoutPlaintext',
    ])
    asked.length = 0
    await store.versionKey({ branchKeyId })
    expect(asked.map(([name]) => name)).toEqual(['reEncrypt', 'generateDataKeyWithoutPlaintext', 'reEncrypt'])
    // Whoever cannot reads the same records.
    const plain = storeOf({ provider: plainProvider })
    const id = await plain.store.createKey()
    const full = storeOf({ items: plain.items, provider: noted }).store
    expect(await full.getActiveBranchKey({ branchKeyId: id })).toEqual(
      await plain.store.getActiveBranchKey({ branchKeyId: id }),
    )
  })
})

describe('hierarchy version 2', () => {
  it('gives the KMS the pairs alone, and wraps the digest of all attributes with the key', async () => {
    const { asked, noted } = noting()
    const { store, items } = storeOf({ provider: noted })
    await store.createKey({ branchKeyId: 'b2', encryptionContext: CONTEXT, hierarchyVersion: 2 })
    expect(asked.map(([name]) => name)).toEqual(['generateDataKey', 'encrypt', 'encrypt', 'generateDataKey', 'encrypt'])
    for (const [, encryptionContext] of asked) expect(encryptionContext).toEqual(CONTEXT)
    const { attributes, enc } = (await items.get('b2', 'branch:ACTIVE'))!
    expect(attributes['hierarchy-version']).toBe('2')
    const opened = await provider.decrypt({ keyId: keyArn, ciphertext: enc, encryptionContext: CONTEXT })
    expect(opened.plaintext).toHaveLength(80)
    const pairs = Object.entries({ ...attributes, tablename: 'logical' }).sort(([a], [b]) => (a < b ? -1 : 1))
    const length = (text: string): Buffer => Buffer.from([text.length >> 8, text.length & 0xff])
    const serialized = Buffer.concat([
      Buffer.from([0, pairs.length]),
      ...pairs.flatMap((pair) => pair.flatMap((text) => [length(text), Buffer.from(text)])),
    ])
    const digest = createHash('sha384').update(serialized).digest()
    expect(Buffer.from(opened.plaintext.subarray(0, 48))).toEqual(digest)
    const { branchKey } = await store.getActiveBranchKey({ branchKeyId: 'b2' })
    expect(branchKey).toEqual(opened.plaintext.slice(48))
  })

  it('remains that of the branch key through its versions', async () => {
    const { store, items } = storeOf()
    const branchKeyId = await store.createKey({ hierarchyVersion: 2 })
    await store.versionKey({ branchKeyId })
    expect((await items.get(branchKeyId, 'branch:ACTIVE'))!.attributes['hierarchy-version']).toBe('2')
    await store.getActiveBranchKey({ branchKeyId })
  })

  it('refuses a changed attribute by its digest, and two names for one pair', async () => {
    const { store, items } = storeOf()
    await store.createKey({ branchKeyId: 'b3', encryptionContext: CONTEXT, hierarchyVersion: 2 })
    const good = (await items.get('b3', 'branch:ACTIVE'))!
    const active = (change: (item: BranchKeyItem) => BranchKeyItem) => ({
      ...items,
      get: async (id: string, type: string) => {
        const item = await items.get(id, type)
        return item && change(item)
      },
    })
    const reader = (change: (item: BranchKeyItem) => BranchKeyItem) => storeOf({ items: active(change) }).store
    const later = reader(({ attributes, enc }) => ({ attributes: { ...attributes, 'create-time': 'later' }, enc }))
    await expect(later.getActiveBranchKey({ branchKeyId: 'b3' })).rejects.toBeInstanceOf(AuthenticationError)
    await expect(later.versionKey({ branchKeyId: 'b3' })).rejects.toBeInstanceOf(AuthenticationError)
    const double = reader(({ attributes, enc }) => ({ attributes: { ...attributes, department: 'admin' }, enc }))
    await expect(double.getActiveBranchKey({ branchKeyId: 'b3' })).rejects.toBeInstanceOf(FormatError)
    expect(await items.get('b3', 'branch:ACTIVE')).toEqual(good)
  })

  it('is 1 or 2', async () => {
    const { store } = storeOf()
    for (const hierarchyVersion of [0, 3, '2x', true]) {
      await expect(store.createKey({ hierarchyVersion: hierarchyVersion as never })).rejects.toBeInstanceOf(TypeError)
    }
  })
})

describe('with a multi-Region key', () => {
  const id = 'mrk-1234abcd12ab34cd56ef1234567890ab'
  const east = `arn:aws:kms:us-east-1:000000000000:key/${id}`
  const west = `arn:aws:kms:us-west-2:000000000000:key/${id}`

  /** The service of a Region, in which a replica has the material of a key of the engine. */
  function regional(region: string): KmsProvider {
    const own = `arn:aws:kms:${region}:000000000000:key/${id}`
    const by = async <T extends { readonly keyId: string }>(keyId: string, answer: (keyId: string) => Promise<T>) => {
      if (keyId !== own) throw new TypeError(`${keyId} is not of ${region}`)
      return { ...(await answer(keyArn)), keyId }
    }
    return {
      region,
      generateDataKey: (request) => by(request.keyId, (keyId) => provider.generateDataKey({ ...request, keyId })),
      encrypt: (request) => by(request.keyId, (keyId) => provider.encrypt({ ...request, keyId })),
      decrypt: (request) => by(request.keyId, (keyId) => provider.decrypt({ ...request, keyId })),
    }
  }

  it.each([1, 2] as const)(
    'each Region uses its replica, and the record keeps its own (version %i)',
    async (version) => {
      const first = storeOf({ provider: regional('us-east-1'), keyArn: east, multiRegion: true })
      const branchKeyId = await first.store.createKey({ hierarchyVersion: version })
      const there = { items: first.items, provider: regional('us-west-2') }
      const second = storeOf({ ...there, keyArn: west, multiRegion: true }).store
      const found = storeOf({ ...there, keyArn: undefined, discovery: true, multiRegion: true }).store
      const expected = await first.store.getActiveBranchKey({ branchKeyId })
      expect(await second.getActiveBranchKey({ branchKeyId })).toEqual(expected)
      expect(await found.getActiveBranchKey({ branchKeyId })).toEqual(expected)
      await second.versionKey({ branchKeyId })
      expect((await first.items.get(branchKeyId, 'branch:ACTIVE'))!.attributes['kms-arn']).toBe(east)
      await first.store.getActiveBranchKey({ branchKeyId })
      const strict = storeOf({ ...there, keyArn: west }).store
      await expect(strict.getActiveBranchKey({ branchKeyId })).rejects.toBeInstanceOf(KeyUnavailableError)
      const other = storeOf({ ...there, keyArn: otherArn, multiRegion: true }).store
      await expect(other.getActiveBranchKey({ branchKeyId })).rejects.toBeInstanceOf(KeyUnavailableError)
    },
  )

  it('discovery needs a Region', () => {
    expect(() => storeOf({ provider: plainProvider, keyArn: undefined, discovery: true, multiRegion: true })).toThrow(
      TypeError,
    )
  })
})
