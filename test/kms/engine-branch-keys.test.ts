import { describe, expect, it } from 'vitest'
import { hierarchicalKeyring, kmsBranchKeys, type BranchKeyAdministration } from '../../kms/hierarchical/index.ts'
import type { Engine } from '../../kms/engine/index.ts'
import { engineProvider } from '../../kms/providers/local.ts'
import { decrypt, encrypt } from '../../src/index.ts'
import { openEngine, refused, STORES } from './engine-setup.ts'
import { failure, plaintext } from '../unit/src-setup.ts'

const TRICKY = ['b/1', 'branch:ACTIVE', 'ü', '%2F', '..', '__proto__']

async function branchKeysOf(engine: Engine, keyArn: string): Promise<BranchKeyAdministration> {
  return kmsBranchKeys({ name: 'own', items: engine.branchKeyItems, provider: engineProvider(engine), keyArn })
}

describe.each(STORES)('branch keys in the engine’s own $store', ({ newStore }) => {
  it('serve a keyring, and outlive the engine', async () => {
    const open = newStore()
    const first = await openEngine(await open())
    const { Arn } = (await first.call('CreateKey', {})).KeyMetadata
    const before = await branchKeysOf(first, Arn)
    const branchKeyId = await before.createKey()
    const keyring = hierarchicalKeyring({ branchKeyStore: before, branchKeyId, ttl: 60 })
    const message = await encrypt(keyring, plaintext, { encryptionContext: { tenant: 'a' } })
    await before.versionKey({ branchKeyId })
    await first.close()
    expect(await failure(before.getActiveBranchKey({ branchKeyId }))).toMatchObject({ name: 'KMSInternalException' })
    const second = await openEngine(await open())
    const branchKeyStore = await branchKeysOf(second, Arn)
    const again = hierarchicalKeyring({ branchKeyStore, branchKeyId, ttl: 60 })
    expect((await decrypt(again, message)).plaintext).toEqual(plaintext)
    await second.close()
  })

  it('have whatever names, and are never replaced by others', async () => {
    const engine = await openEngine(await newStore()())
    const { Arn } = (await engine.call('CreateKey', {})).KeyMetadata
    const store = await branchKeysOf(engine, Arn)
    const keys = new Map<string, Uint8Array>()
    for (const branchKeyId of TRICKY) {
      await store.createKey({ branchKeyId, encryptionContext: { branchKeyId } })
      keys.set(branchKeyId, (await store.getActiveBranchKey({ branchKeyId })).branchKey)
    }
    for (const branchKeyId of TRICKY) {
      const encryptionContext = { branchKeyId }
      await refused(store.createKey({ branchKeyId, encryptionContext }), 'AlreadyExistsException')
      const found = await store.getActiveBranchKey({ branchKeyId })
      expect(found.branchKey).toEqual(keys.get(branchKeyId))
      expect(found.encryptionContext).toEqual(encryptionContext)
    }
    await refused(store.getActiveBranchKey({ branchKeyId: 'none' }), 'NotFoundException')
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => store.versionKey({ branchKeyId: 'ü' })))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await engine.close()
  })

  it('are refused when a row was changed, put back to what it was, or removed', async () => {
    const rows = await newStore()()
    const engine = await openEngine(rows)
    const { Arn } = (await engine.call('CreateKey', {})).KeyMetadata
    const store = await branchKeysOf(engine, Arn)
    const branchKeyId = await store.createKey()
    const read = () => rows.transaction('read', (t) => t.get('branch-key', `${branchKeyId}/branch%3AACTIVE`))
    const old = (await read())!
    await store.versionKey({ branchKeyId })
    const present = (await read())!
    for (const row of [old, { ...present, body: old.body }, undefined]) {
      await rows.transaction('write', (t) => (row ? t.put('branch-key', row) : t.delete('branch-key', present.id)))
      await refused(
        store.getActiveBranchKey({ branchKeyId }),
        'KMSInternalException',
        /branch-key row .* not authentic/,
      )
      await refused(store.versionKey({ branchKeyId }), 'KMSInternalException', /branch-key row .* not authentic/)
    }
    await rows.transaction('write', (t) => t.put('branch-key', present))
    await store.getActiveBranchKey({ branchKeyId })
    await engine.close()
  })
})
