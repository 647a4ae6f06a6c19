import { beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import type { KeyState } from '../../kms/engine/key-state.ts'
import { KmsError } from '../../kms/errors.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { ARN_PREFIX, newKey, openEngine, rowIdOf, writeRecords } from './engine-setup.ts'

// The table of key states of the AWS KMS developer guide, as the actions answer it: + goes on, D DisabledException,
// S KMSInvalidStateException.

const STATES: Readonly<Record<KeyState, string>> = {
  Enabled: 'enabled',
  Disabled: 'disabled',
  PendingDeletion: 'pending deletion',
  PendingReplicaDeletion: 'pending deletion',
  PendingImport: 'pending import',
  Unavailable: 'unavailable',
  Creating: 'creating',
  Updating: 'updating',
}

type Call = (engine: Engine, KeyId: string, blob: Uint8Array) => Promise<unknown>

const plaintext = Uint8Array.of(1)

const ROWS: Readonly<Record<string, readonly [string, Call]>> = {
  Encrypt: ['+ D S S S S S +', (engine, KeyId) => engine.call('Encrypt', { KeyId, Plaintext: plaintext })],
  Decrypt: ['+ D S S S S S +', (engine, _, CiphertextBlob) => engine.call('Decrypt', { CiphertextBlob })],
  ReEncrypt: [
    '+ D S S S S S +',
    (engine, DestinationKeyId, CiphertextBlob) => engine.call('ReEncrypt', { CiphertextBlob, DestinationKeyId }),
  ],
  GenerateDataKey: ['+ D S S S S S +', (engine, KeyId) => engine.call('GenerateDataKey', { KeyId, NumberOfBytes: 1 })],
  GenerateDataKeyWithoutPlaintext: [
    '+ D S S S S S +',
    (engine, KeyId) => engine.call('GenerateDataKeyWithoutPlaintext', { KeyId, NumberOfBytes: 1 }),
  ],
  DescribeKey: ['+ + + + + + + +', (engine, KeyId) => engine.call('DescribeKey', { KeyId })],
  ListAliases: ['+ + + + + + + +', (engine, KeyId) => engine.call('ListAliases', { KeyId })],
  ListResourceTags: ['+ + + + + + + +', (engine, KeyId) => engine.call('ListResourceTags', { KeyId })],
  GetKeyLastUsage: ['+ + + + + + + +', (engine, KeyId) => engine.call('GetKeyLastUsage', { KeyId })],
  GetKeyRotationStatus: ['+ + + + + + + +', (engine, KeyId) => engine.call('GetKeyRotationStatus', { KeyId })],
  ListKeyRotations: ['+ + + + + + + +', (engine, KeyId) => engine.call('ListKeyRotations', { KeyId })],
  DeleteAlias: ['+ + + + + + + +', (engine, KeyId) => engine.call('DeleteAlias', { AliasName: `alias/${KeyId}` })],
  EnableKey: ['+ + S S S + S S', (engine, KeyId) => engine.call('EnableKey', { KeyId })],
  DisableKey: ['+ + S S S + S S', (engine, KeyId) => engine.call('DisableKey', { KeyId })],
  CreateAlias: [
    '+ + S S + + + +',
    (engine, TargetKeyId) => engine.call('CreateAlias', { AliasName: `alias/new-${TargetKeyId}`, TargetKeyId }),
  ],
  UpdateAlias: [
    '+ + S S + + + +',
    (engine, TargetKeyId) => engine.call('UpdateAlias', { AliasName: `alias/${TargetKeyId}`, TargetKeyId }),
  ],
  TagResource: ['+ + S S + + + +', (engine, KeyId) => engine.call('TagResource', { KeyId, Tags: [] })],
  UntagResource: ['+ + S S + + + +', (engine, KeyId) => engine.call('UntagResource', { KeyId, TagKeys: [] })],
  UpdateKeyDescription: [
    '+ + S S + + + +',
    (engine, KeyId) => engine.call('UpdateKeyDescription', { KeyId, Description: '' }),
  ],
  ScheduleKeyDeletion: ['+ + S S + + + S', (engine, KeyId) => engine.call('ScheduleKeyDeletion', { KeyId })],
  CancelKeyDeletion: ['S S + + S S S S', (engine, KeyId) => engine.call('CancelKeyDeletion', { KeyId })],
  EnableKeyRotation: ['+ D S S S S S +', (engine, KeyId) => engine.call('EnableKeyRotation', { KeyId })],
  DisableKeyRotation: ['+ D S S S S S +', (engine, KeyId) => engine.call('DisableKeyRotation', { KeyId })],
  RotateKeyOnDemand: ['+ D S S S S S S', (engine, KeyId) => engine.call('RotateKeyOnDemand', { KeyId })],
}

describe.each(Object.entries(STATES))('a key that is %s', (state, words) => {
  let store: Store
  let engine: Engine

  beforeAll(async () => {
    store = memoryStore()
    engine = await openEngine(store)
  })

  it.each(Object.entries(ROWS))('answers to %s as the table says', async (name, [cells, call]) => {
    const KeyId = await newKey(engine)
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext: plaintext })
    await engine.call('CreateAlias', { AliasName: `alias/${KeyId}`, TargetKeyId: KeyId })
    await writeRecords(store, async (records) => {
      const key = (await records.get('key', rowIdOf(KeyId)))!
      await records.put('key', rowIdOf(KeyId), { ...key.record, state: state as KeyState }, key)
    })
    const cell = cells.split(' ')[Object.keys(STATES).indexOf(state)]
    const outcome: unknown = await call(engine, KeyId, CiphertextBlob).then(
      () => '+',
      (error: unknown) => (error instanceof KmsError ? { name: error.name, message: error.message } : error),
    )
    const text = name === 'CancelKeyDeletion' ? 'not pending deletion' : words
    const exceptions: Readonly<Record<string, string>> = { D: 'DisabledException', S: 'KMSInvalidStateException' }
    const message = `${ARN_PREFIX}key/${KeyId} is ${text}.`
    expect(outcome).toEqual(cell === '+' ? '+' : { name: exceptions[cell ?? ''], message })
  })
})
