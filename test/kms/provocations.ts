import type { ActionName, Engine } from '../../kms/engine/index.ts'
import type { KeyState } from '../../kms/engine/key-state.ts'
import type { KeyRecord } from '../../kms/engine/records.ts'
import type { Store } from '../../kms/store/store.ts'
import { ABSENT, ACCOUNT, ARN_PREFIX, NOW, REGION, openEngine, rowIdOf, writeRecords } from './engine-setup.ts'
import { importMaterial, NEVER, wrapFor } from './import-setup.ts'
import { newStores, type Stores } from './key-store-setup.ts'
import { STORE_INPUTS, STORE_PROVOCATIONS } from './store-provocations.ts'

// How each declared exception of each action is provoked: by what is done to the key before, and by what the call then
// says. Everything is a call of the API, but for key states and counts that would take days or hours to come to.

const message = Uint8Array.of(1, 2, 3)
/** Where a multi-Region key is replicated to. */
const OTHER_REGION = 'us-west-2'
const MATERIAL = new Uint8Array(32).fill(1)
const USER = `arn:aws:iam::${ACCOUNT}:user/alice`

const KINDS = {
  symmetric: {},
  signing: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  mac: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  agreement: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' },
  encapsulation: { KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' },
  multiRegion: { MultiRegion: true },
  external: { Origin: 'EXTERNAL' },
} as const

type Kind = keyof typeof KINDS

/** A KMS with one key of the kind that an action is for. */
export interface Subject extends Stores {
  readonly keyId: string
  readonly arn: string
}

export async function newSubject(store: Store, action: string): Promise<Subject> {
  const stores = await newStores({ regions: [REGION, OTHER_REGION] }, store)
  const { engine } = stores
  const keyId = await newKeyOf(engine, kindOf(action))
  return { ...stores, keyId, arn: `${ARN_PREFIX}key/${keyId}` }
}

async function newKeyOf(engine: Engine, kind: Kind): Promise<string> {
  return (await engine.call('CreateKey', KINDS[kind])).KeyMetadata.KeyId
}

function kindOf(action: string): Kind {
  if (/^(?:Sign|Verify|GetPublicKey)$/.test(action)) return 'signing'
  if (action.endsWith('Mac')) return 'mac'
  if (action.endsWith('capsulate')) return 'encapsulation'
  if (/Replicate|PrimaryRegion/.test(action)) return 'multiRegion'
  if (action.includes('Import')) return 'external'
  return action === 'DeriveSharedSecret' ? 'agreement' : 'symmetric'
}

type Input = Readonly<Record<string, unknown>>
type MakeInput = (subject: Subject) => Input | Promise<Input>

const byKey: MakeInput = ({ keyId: KeyId }) => ({ KeyId })
const dataKey: MakeInput = ({ keyId: KeyId }) => ({ KeyId, KeySpec: 'AES_256' })
const dataKeyPair: MakeInput = ({ keyId: KeyId }) => ({ KeyId, KeyPairSpec: 'ECC_NIST_P256' })
const alias: MakeInput = ({ keyId: TargetKeyId }) => ({ AliasName: 'alias/a', TargetKeyId })

async function newAlias(subject: Subject): Promise<Input> {
  const input = { AliasName: 'alias/a', TargetKeyId: subject.keyId }
  await subject.engine.call('CreateAlias', input)
  return input
}

async function newGrant({ engine, keyId, arn }: Subject): Promise<{ KeyId: string; GrantId: string }> {
  const grant = { KeyId: keyId, GranteePrincipal: USER, Operations: ['DescribeKey'] }
  return { KeyId: arn, GrantId: (await engine.call('CreateGrant', grant)).GrantId }
}

async function ciphertext({ engine, keyId: KeyId }: Subject): Promise<Uint8Array> {
  return (await engine.call('Encrypt', { KeyId, Plaintext: message })).CiphertextBlob
}

/** An input with which the action goes well. */
export const INPUTS: Readonly<Record<string, MakeInput>> = {
  ...STORE_INPUTS,
  CancelKeyDeletion: async ({ engine, keyId: KeyId }) => {
    await engine.call('ScheduleKeyDeletion', { KeyId })
    return { KeyId }
  },
  CreateAlias: alias,
  CreateGrant: ({ keyId: KeyId }) => ({ KeyId, GranteePrincipal: USER, Operations: ['DescribeKey'] }),
  CreateKey: () => ({}),
  Decapsulate: async ({ engine, keyId: KeyId }) => {
    const { SharedSecretCiphertextBlob } = await engine.call('Encapsulate', { KeyId, EncapsulationAlgorithm: 'ML_KEM' })
    return { KeyId, EncapsulationAlgorithm: 'ML_KEM', SharedSecretCiphertextBlob }
  },
  Decrypt: async (subject) => ({ KeyId: subject.keyId, CiphertextBlob: await ciphertext(subject) }),
  DeleteAlias: async (subject) => {
    const { AliasName } = await newAlias(subject)
    return { AliasName }
  },
  DeleteImportedKeyMaterial: byKey,
  DeriveSharedSecret: async ({ engine, keyId: KeyId }) => {
    const other = await newKeyOf(engine, 'agreement')
    const { PublicKey } = await engine.call('GetPublicKey', { KeyId: other })
    return { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }
  },
  DescribeKey: byKey,
  DisableKey: byKey,
  DisableKeyRotation: byKey,
  EnableKey: byKey,
  EnableKeyRotation: byKey,
  Encapsulate: ({ keyId: KeyId }) => ({ KeyId, EncapsulationAlgorithm: 'ML_KEM' }),
  Encrypt: ({ keyId: KeyId }) => ({ KeyId, Plaintext: message }),
  GenerateDataKey: dataKey,
  GenerateDataKeyPair: dataKeyPair,
  GenerateDataKeyPairWithoutPlaintext: dataKeyPair,
  GenerateDataKeyWithoutPlaintext: dataKey,
  GenerateMac: ({ keyId: KeyId }) => ({ KeyId, Message: message, MacAlgorithm: 'HMAC_SHA_256' }),
  GenerateRandom: () => ({ NumberOfBytes: 1 }),
  GetKeyLastUsage: byKey,
  GetKeyPolicy: byKey,
  GetKeyRotationStatus: byKey,
  GetParametersForImport: ({ keyId: KeyId }) => {
    return { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' }
  },
  GetPublicKey: byKey,
  ImportKeyMaterial: async ({ engine, keyId }) => ({ ...(await wrapFor(engine, keyId, MATERIAL)), ...NEVER }),
  ListAliases: byKey,
  ListGrants: byKey,
  ListKeyPolicies: byKey,
  ListKeyRotations: byKey,
  ListKeys: () => ({}),
  ListResourceTags: byKey,
  ListRetirableGrants: () => ({ RetiringPrincipal: USER }),
  PutKeyPolicy: async ({ engine, keyId: KeyId }) => {
    const { Policy } = await engine.call('GetKeyPolicy', { KeyId })
    return { KeyId, Policy }
  },
  ReEncrypt: async (subject) => ({ DestinationKeyId: subject.keyId, CiphertextBlob: await ciphertext(subject) }),
  ReplicateKey: ({ keyId: KeyId }) => ({ KeyId, ReplicaRegion: OTHER_REGION }),
  RetireGrant: newGrant,
  RevokeGrant: newGrant,
  RotateKeyOnDemand: byKey,
  ScheduleKeyDeletion: byKey,
  Sign: ({ keyId: KeyId }) => ({ KeyId, Message: message, SigningAlgorithm: 'ECDSA_SHA_256' }),
  TagResource: ({ keyId: KeyId }) => ({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] }),
  UntagResource: ({ keyId: KeyId }) => ({ KeyId, TagKeys: ['a'] }),
  UpdateAlias: newAlias,
  UpdateKeyDescription: ({ keyId: KeyId }) => ({ KeyId, Description: '' }),
  UpdatePrimaryRegion: async ({ engine, keyId: KeyId }) => {
    await engine.call('ReplicateKey', { KeyId, ReplicaRegion: OTHER_REGION })
    return { KeyId, PrimaryRegion: OTHER_REGION }
  },
  Verify: async ({ engine, keyId: KeyId }) => {
    const input = { KeyId, Message: message, SigningAlgorithm: 'ECDSA_SHA_256' }
    return { ...input, Signature: (await engine.call('Sign', input)).Signature }
  },
  VerifyMac: async ({ engine, keyId: KeyId }) => {
    const input = { KeyId, Message: message, MacAlgorithm: 'HMAC_SHA_256' }
    return { ...input, Mac: (await engine.call('GenerateMac', input)).Mac }
  },
}

/** The parameter by which an action names its key. */
function keyParameter(input: Input): string {
  return ['TargetKeyId', 'DestinationKeyId'].find((name) => name in input) ?? 'KeyId'
}

/** The valid input with other parameters. */
const changed =
  (action: string, change: (input: Input, subject: Subject) => Input | Promise<Input>): MakeInput =>
  async (subject) => {
    const input = await INPUTS[action]!(subject)
    return { ...input, ...(await change(input, subject)) }
  }

/** Writes what would take the API days or hours to come to. */
export async function setKey({ store, keyId }: Subject, changes: Partial<KeyRecord>): Promise<void> {
  await writeRecords(store, async (records) => {
    const key = (await records.get('key', rowIdOf(keyId)))!
    await records.put('key', rowIdOf(keyId), { ...key.record, ...changes }, key)
  })
}

const inState = (action: string, state: KeyState): MakeInput =>
  changed(action, async (_, subject) => {
    await setKey(subject, { state })
    return {}
  })

const OTHER_USAGE: Readonly<Record<Kind, Kind>> = {
  symmetric: 'mac',
  signing: 'agreement',
  mac: 'signing',
  agreement: 'signing',
  encapsulation: 'signing',
  multiRegion: 'mac',
  external: 'mac',
}

/** What provokes an exception the same way, whatever the action. */
const GENERIC: Readonly<Record<string, (action: string) => MakeInput>> = {
  NotFound: (action) => changed(action, (input) => ({ [keyParameter(input)]: ABSENT })),
  InvalidArn: (action) => changed(action, (input) => ({ [keyParameter(input)]: 'arn:aws:kms' })),
  Disabled: (action) => inState(action, 'Disabled'),
  KMSInvalidState: (action) => inState(action, action === 'CancelKeyDeletion' ? 'Enabled' : 'PendingDeletion'),
  InvalidGrantToken: (action) => changed(action, () => ({ GrantTokens: ['AAAA'] })),
  InvalidGrantId: (action) => changed(action, () => ({ GrantId: 'no-id' })),
  InvalidMarker: (action) => changed(action, () => ({ Marker: 'no-marker' })),
  MalformedPolicyDocument: (action) => changed(action, () => ({ Policy: '{' })),
  Tag: (action) => changed(action, () => ({ Tags: [{ TagKey: 'aws:a', TagValue: '' }] })),
  DryRunOperation: (action) => changed(action, () => ({ DryRun: true })),
  InvalidKeyUsage: (action) =>
    changed(action, async (input, { engine }) => {
      return { [keyParameter(input)]: await newKeyOf(engine, OTHER_USAGE[kindOf(action)]) }
    }),
}

const otherBlob = changed('Decrypt', async (_, { engine }) => {
  const KeyId = await newKeyOf(engine, 'symmetric')
  return { CiphertextBlob: (await engine.call('Encrypt', { KeyId, Plaintext: message })).CiphertextBlob }
})

const ofSpec = (action: string, kind: Kind): MakeInput =>
  changed(action, async (_, { engine }) => ({ KeyId: await newKeyOf(engine, kind) }))

const fullOfAliases = (action: string): MakeInput =>
  changed(action, async (_, { engine }) => {
    const TargetKeyId = await newKeyOf(engine, 'symmetric')
    for (let i = 0; i < 50; i++) await engine.call('CreateAlias', { AliasName: `alias/${String(i)}`, TargetKeyId })
    return { TargetKeyId }
  })

/** What provokes an exception in a way of its own. */
const SPECIFIC: Readonly<Record<string, MakeInput>> = {
  ...STORE_PROVOCATIONS,
  'CreateAlias AlreadyExists': newAlias,
  'CreateAlias InvalidAliasName': changed('CreateAlias', () => ({ AliasName: 'alias/' })),
  'CreateAlias LimitExceeded': fullOfAliases('CreateAlias'),
  'CreateGrant LimitExceeded': changed('CreateGrant', async (_, subject) => {
    await setKey(subject, { grants: 50_000 })
    return {}
  }),
  'CreateKey LimitExceeded': async ({ store }) => {
    await writeRecords(store, async (records) => {
      const id = `${ACCOUNT}/${REGION}`
      await records.put('meta', id, { keys: 100_000 }, await records.get('meta', id))
    })
    return {}
  },
  'CreateKey UnsupportedOperation': () => ({ KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' }),
  'Decapsulate InvalidCiphertext': changed('Decapsulate', () => ({ SharedSecretCiphertextBlob: message })),
  'Decrypt IncorrectKey': otherBlob,
  'Decrypt InvalidCiphertext': changed('Decrypt', () => ({ EncryptionContext: { a: 'b' } })),
  // With a symmetric ciphertext, which names its key itself, another key is an IncorrectKeyException first.
  'Decrypt InvalidKeyUsage': changed('Decrypt', async (_, { engine }) => {
    return { KeyId: await newKeyOf(engine, 'signing'), EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }
  }),
  'DeleteAlias NotFound': () => ({ AliasName: 'alias/none' }),
  'DeleteImportedKeyMaterial KMSInvalidState': inState('DeleteImportedKeyMaterial', 'Creating'),
  'DeleteImportedKeyMaterial UnsupportedOperation': ofSpec('DeleteImportedKeyMaterial', 'symmetric'),
  'DisableKeyRotation UnsupportedOperation': ofSpec('DisableKeyRotation', 'mac'),
  'EnableKeyRotation UnsupportedOperation': ofSpec('EnableKeyRotation', 'mac'),
  'GenerateDataKeyPair UnsupportedOperation': changed('GenerateDataKeyPair', () => ({ KeyPairSpec: 'SM2' })),
  'GenerateDataKeyPairWithoutPlaintext UnsupportedOperation': changed('GenerateDataKeyPair', () => {
    return { KeyPairSpec: 'SM2' }
  }),
  'GenerateRandom CustomKeyStoreNotFound': changed('GenerateRandom', () => ({ CustomKeyStoreId: 'cks-none' })),
  'GenerateRandom UnsupportedOperation': changed('GenerateRandom', () => ({ Recipient: {} })),
  'GetKeyRotationStatus UnsupportedOperation': ofSpec('GetKeyRotationStatus', 'mac'),
  'GetParametersForImport UnsupportedOperation': ofSpec('GetParametersForImport', 'symmetric'),
  'GetPublicKey UnsupportedOperation': ofSpec('GetPublicKey', 'symmetric'),
  'ImportKeyMaterial ExpiredImportToken': changed('ImportKeyMaterial', async (_, { store, keyId }) => {
    const before = await openEngine(store, { clock: () => NOW - 86_400_000 })
    return wrapFor(before, keyId, MATERIAL)
  }),
  'ImportKeyMaterial IncorrectKeyMaterial': changed('ImportKeyMaterial', async (_, { engine, keyId }) => {
    await importMaterial(engine, keyId, MATERIAL)
    return wrapFor(engine, keyId, new Uint8Array(32).fill(2))
  }),
  'ImportKeyMaterial InvalidCiphertext': changed('ImportKeyMaterial', () => ({ EncryptedKeyMaterial: message })),
  'ImportKeyMaterial InvalidImportToken': changed('ImportKeyMaterial', () => ({ ImportToken: message })),
  'ImportKeyMaterial UnsupportedOperation': ofSpec('ImportKeyMaterial', 'symmetric'),
  'ListKeyRotations UnsupportedOperation': ofSpec('ListKeyRotations', 'mac'),
  'ListRetirableGrants InvalidArn': () => ({ RetiringPrincipal: 'nobody' }),
  'PutKeyPolicy LimitExceeded': changed('PutKeyPolicy', ({ Policy }) => ({
    Policy: (Policy as string).padEnd(32_769),
  })),
  'ReEncrypt IncorrectKey': changed('ReEncrypt', async (_, { engine }) => ({
    SourceKeyId: await newKeyOf(engine, 'symmetric'),
  })),
  'ReEncrypt InvalidCiphertext': changed('ReEncrypt', () => ({ SourceEncryptionContext: { a: 'b' } })),
  'ReplicateKey AlreadyExists': changed('ReplicateKey', () => ({ ReplicaRegion: REGION })),
  'ReplicateKey LimitExceeded': changed('ReplicateKey', async (_, { store }) => {
    await writeRecords(store, (records) => records.put('meta', `${ACCOUNT}/${OTHER_REGION}`, { keys: 100_000 }).then())
    return {}
  }),
  'ReplicateKey UnsupportedOperation': ofSpec('ReplicateKey', 'symmetric'),
  'RetireGrant InvalidGrantToken': () => ({ GrantToken: 'AAAA' }),
  'RetireGrant NotFound': changed('RetireGrant', () => ({ GrantId: '0'.repeat(64) })),
  'RotateKeyOnDemand LimitExceeded': changed('RotateKeyOnDemand', async (_, { engine, keyId: KeyId }) => {
    for (let i = 0; i < 25; i++) await engine.call('RotateKeyOnDemand', { KeyId })
    return {}
  }),
  'RotateKeyOnDemand UnsupportedOperation': ofSpec('RotateKeyOnDemand', 'mac'),
  'UntagResource Tag': changed('UntagResource', () => ({ TagKeys: ['AWS:a'] })),
  'UpdateAlias LimitExceeded': fullOfAliases('UpdateAlias'),
  'UpdatePrimaryRegion UnsupportedOperation': ofSpec('UpdatePrimaryRegion', 'symmetric'),
  'Verify KMSInvalidSignature': changed('Verify', () => ({ Message: Uint8Array.of(9) })),
  'VerifyMac KMSInvalidMac': changed('VerifyMac', () => ({ Message: Uint8Array.of(9) })),
}

/** How an action is made to end with an exception; undefined if no way is known. */
export function provocationOf(action: string, error: string): MakeInput | undefined {
  return SPECIFIC[`${action} ${error}`] ?? (action in INPUTS ? GENERIC[error]?.(action) : undefined)
}

export const SPECIFIC_NAMES: readonly string[] = Object.keys(SPECIFIC)

/** Calls with what the types do not know. */
export async function callAction({ engine }: Subject, action: string, input: Input): Promise<unknown> {
  return engine.call(action as ActionName, input)
}
