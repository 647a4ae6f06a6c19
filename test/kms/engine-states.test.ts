import { beforeAll, describe, expect, it } from 'vitest'
import { ACTION_NAMES } from '../../kms/engine/actions.ts'
import type { KeyState } from '../../kms/engine/key-state.ts'
import { KmsError } from '../../kms/errors.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import { ARN_PREFIX } from './engine-setup.ts'
import { reuseWrappingKeys } from './import-setup.ts'
import { callAction, INPUTS, newSubject, setKey, type Subject } from './provocations.ts'

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

/** The classes of actions in the guide, each with its row: a cell for each of the states above, in their order. */
const CLASSES: readonly (readonly [cells: string, actions: readonly string[]])[] = [
  ['+ D S S S S S +', ['Encrypt', 'Decrypt', 'ReEncrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext']],
  ['+ D S S S S S +', ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext']],
  [
    '+ D S S S S S +',
    ['Sign', 'Verify', 'GenerateMac', 'VerifyMac', 'GetPublicKey', 'DeriveSharedSecret', 'Encapsulate', 'Decapsulate'],
  ],
  ['+ D S S S + S +', ['CreateGrant']],
  ['+ + + + + + + +', ['ListGrants', 'RetireGrant', 'RevokeGrant', 'GetKeyPolicy', 'PutKeyPolicy', 'ListKeyPolicies']],
  ['+ + + + + + + +', ['DescribeKey', 'ListAliases', 'ListResourceTags', 'DeleteAlias', 'GetKeyLastUsage']],
  ['+ + + + + + + +', ['GetKeyRotationStatus', 'ListKeyRotations']],
  ['+ + S S S + S S', ['EnableKey', 'DisableKey']],
  ['+ + S S + + + +', ['CreateAlias', 'UpdateAlias', 'TagResource', 'UntagResource', 'UpdateKeyDescription']],
  ['+ + S S + + + S', ['ScheduleKeyDeletion']],
  ['S S + + S S S S', ['CancelKeyDeletion']],
  ['+ D S S S S S +', ['EnableKeyRotation', 'DisableKeyRotation']],
  ['+ D S S S S S S', ['RotateKeyOnDemand', 'ReplicateKey']],
  ['+ D S S S S S +', ['UpdatePrimaryRegion']],
  ['+ + S S + S S S', ['GetParametersForImport']],
  ['+ + S S + S S +', ['ImportKeyMaterial']],
  ['+ + + + + + S S', ['DeleteImportedKeyMaterial']],
]

/** Actions that are on no key. */
const OF_NO_KEY = [
  ...['CreateKey', 'GenerateRandom', 'ListKeys', 'ListRetirableGrants'],
  ...['ConnectCustomKeyStore', 'CreateCustomKeyStore', 'DeleteCustomKeyStore', 'DescribeCustomKeyStores'],
  ...['DisconnectCustomKeyStore', 'UpdateCustomKeyStore'],
]

type Input = Readonly<Record<string, unknown>>

interface Row {
  readonly title: string
  readonly action: string
  readonly cells: string
  readonly change?: (own: Input, subject: Subject) => Promise<Input>
}

/** Actions with two keys, by the one whose state counts: the other is enabled. */
const BESIDE: Readonly<
  Record<string, readonly [action: string, cells: string, change: (own: Input, subject: Subject) => Promise<Input>]>
> = {
  'ReEncrypt, of the ciphertext': [
    'ReEncrypt',
    '+ D S S S S S +',
    async (_, { engine }) => ({ DestinationKeyId: (await engine.call('CreateKey', {})).KeyMetadata.KeyId }),
  ],
  'ReEncrypt, of the key that encrypts': [
    'ReEncrypt',
    '+ D S S S S S +',
    async (_, { engine }) => {
      const KeyId = (await engine.call('CreateKey', {})).KeyMetadata.KeyId
      return { CiphertextBlob: (await engine.call('Encrypt', { KeyId, Plaintext: Uint8Array.of(1) })).CiphertextBlob }
    },
  ],
  'UpdateAlias, of the key that it pointed to': [
    'UpdateAlias',
    '+ + + + + + + +',
    async (_, { engine }) => ({ TargetKeyId: (await engine.call('CreateKey', {})).KeyMetadata.KeyId }),
  ],
}

const rows: readonly Row[] = [
  ...CLASSES.flatMap(([cells, actions]) => actions.map((action) => ({ title: action, action, cells }))),
  ...Object.entries(BESIDE).map(([title, [action, cells, change]]) => ({ title, action, cells, change })),
]

beforeAll(() => {
  reuseWrappingKeys()
})

it('the table has every action that is on a key', () => {
  const actions = CLASSES.flatMap(([, names]) => names)
  expect([...actions, ...OF_NO_KEY].sort()).toEqual([...ACTION_NAMES].sort())
})

describe.each(Object.entries(STATES))('a key that is %s', (state, words) => {
  it.each(rows)('answers to $title as the table says', async ({ action, cells, change }) => {
    const subject = await newSubject(memoryStore(), action)
    const own = await INPUTS[action]!(subject)
    const input = { ...own, ...(await change?.(own, subject)) }
    await setKey(subject, { state: state as KeyState })
    const cell = cells.split(' ')[Object.keys(STATES).indexOf(state)]
    const outcome: unknown = await callAction(subject, action, input).then(
      () => '+',
      (error: unknown) => (error instanceof KmsError ? { name: error.name, message: error.message } : error),
    )
    const text = action === 'CancelKeyDeletion' ? 'not pending deletion' : words
    const exceptions: Readonly<Record<string, string>> = { D: 'DisabledException', S: 'KMSInvalidStateException' }
    const message = `${ARN_PREFIX}key/${subject.keyId} is ${text}.`
    expect(outcome).toEqual(cell === '+' ? '+' : { name: exceptions[cell ?? ''], message })
  })
})
