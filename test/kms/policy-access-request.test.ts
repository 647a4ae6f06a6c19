import { describe, expect, it } from 'vitest'
import {
  accessRequest,
  authorise,
  filledConditionKeys,
  kmsPermissions,
  parsePolicy,
  type AccessFacts,
  type KeyFacts,
} from '../../kms/policy/index.ts'
import { ACCOUNT, ALICE, IDS, KEY, policyText, statement } from './policy-setup.ts'

const KEY_FACTS: KeyFacts = {
  keySpec: 'SYMMETRIC_DEFAULT',
  keyUsage: 'ENCRYPT_DECRYPT',
  origin: 'AWS_KMS',
  multiRegionKeyType: 'REPLICA',
  tags: [{ key: 'Team', value: 'a' }],
  aliases: ['alias/a', 'alias/b'],
}

function facts(options: Partial<AccessFacts> = {}): AccessFacts {
  return {
    principal: ALICE,
    permission: 'Decrypt',
    resource: KEY,
    resourceAccount: ACCOUNT,
    input: {},
    now: Date.UTC(2026, 10, 26, 20, 30, 15, 250),
    region: 'us-east-1',
    ...options,
  }
}

/** What the request has of these keys. */
function contextOf(options: Partial<AccessFacts>, ...names: readonly string[]): Record<string, readonly string[]> {
  const { context } = accessRequest(facts(options))
  return Object.fromEntries(names.map((name) => [name, context.get(name) ?? []]))
}

describe('the condition keys of a call', () => {
  it('say when and from where it came', () => {
    const names = [
      'aws:CurrentTime',
      'aws:EpochTime',
      'aws:RequestedRegion',
      'aws:SourceIp',
      'aws:SecureTransport',
      'aws:UserAgent',
    ]
    expect(contextOf({ sourceIp: '10.0.0.1', isSecure: false, userAgent: 'x' }, ...names)).toEqual({
      'aws:CurrentTime': ['2026-11-26T20:30:15.250Z'],
      'aws:EpochTime': ['1795725015'],
      'aws:RequestedRegion': ['us-east-1'],
      'aws:SourceIp': ['10.0.0.1'],
      'aws:SecureTransport': ['false'],
      'aws:UserAgent': ['x'],
    })
    expect(contextOf({}, 'aws:SourceIp', 'aws:SecureTransport', 'aws:UserAgent')).toEqual({
      'aws:SourceIp': [],
      'aws:SecureTransport': [],
      'aws:UserAgent': [],
    })
  })

  it('say what key it is on', () => {
    const names = ['kms:KeySpec', 'kms:CustomerMasterKeySpec', 'kms:KeyUsage', 'kms:CustomerMasterKeyUsage', 'kms:KeyOrigin',
      'kms:MultiRegion', 'kms:MultiRegionKeyType', 'kms:ResourceAliases', 'aws:ResourceTag/Team', 'kms:RequestAlias'] // prettier-ignore
    expect(contextOf({ key: KEY_FACTS, requestAlias: 'alias/b' }, ...names)).toEqual({
      'kms:KeySpec': ['SYMMETRIC_DEFAULT'],
      'kms:CustomerMasterKeySpec': ['SYMMETRIC_DEFAULT'],
      'kms:KeyUsage': ['ENCRYPT_DECRYPT'],
      'kms:CustomerMasterKeyUsage': ['ENCRYPT_DECRYPT'],
      'kms:KeyOrigin': ['AWS_KMS'],
      'kms:MultiRegion': ['true'],
      'kms:MultiRegionKeyType': ['REPLICA'],
      'kms:ResourceAliases': ['alias/a', 'alias/b'],
      'aws:ResourceTag/Team': ['a'],
      'kms:RequestAlias': ['alias/b'],
    })
    expect(contextOf({ permission: 'ListKeys' }, 'kms:KeySpec', 'kms:MultiRegion')).toEqual({
      'kms:KeySpec': [],
      'kms:MultiRegion': [],
    })
  })

  it.each<[string, Readonly<Record<string, unknown>>, Readonly<Record<string, readonly string[]>>]>([
    ['CreateKey', {}, {
      'kms:KeySpec': ['SYMMETRIC_DEFAULT'], 'kms:KeyUsage': ['ENCRYPT_DECRYPT'], 'kms:KeyOrigin': ['AWS_KMS'],
      'kms:MultiRegion': ['false'], 'kms:MultiRegionKeyType': [], 'kms:BypassPolicyLockoutSafetyCheck': [], 'aws:TagKeys': [],
    }], // prettier-ignore
    ['CreateKey', {
      KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY', Origin: 'EXTERNAL', MultiRegion: true, BypassPolicyLockoutSafetyCheck: true,
      Tags: [{ TagKey: 'Team', TagValue: 'a' }, { TagKey: 'team', TagValue: '' }],
    }, {
      'kms:KeySpec': ['RSA_2048'], 'kms:CustomerMasterKeySpec': ['RSA_2048'], 'kms:KeyUsage': ['SIGN_VERIFY'],
      'kms:KeyOrigin': ['EXTERNAL'], 'kms:MultiRegion': ['true'], 'kms:MultiRegionKeyType': ['PRIMARY'],
      'kms:BypassPolicyLockoutSafetyCheck': ['true'], 'aws:TagKeys': ['Team', 'team'],
      'aws:RequestTag/Team': ['a'], 'aws:RequestTag/team': [''],
    }], // prettier-ignore
    ['CreateKey', { CustomerMasterKeySpec: 'HMAC_256' }, { 'kms:KeySpec': ['HMAC_256'] }],
    ['PutKeyPolicy', { BypassPolicyLockoutSafetyCheck: false }, { 'kms:BypassPolicyLockoutSafetyCheck': ['false'] }],
    ['Encrypt', {}, { 'kms:EncryptionAlgorithm': ['SYMMETRIC_DEFAULT'] }],
    ['Decrypt', { EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' }, { 'kms:EncryptionAlgorithm': ['RSAES_OAEP_SHA_1'] }],
    [
      'ReEncryptFrom',
      { SourceEncryptionAlgorithm: 'a', DestinationEncryptionAlgorithm: 'b' },
      { 'kms:EncryptionAlgorithm': ['a'] },
    ],
    [
      'ReEncryptTo',
      { SourceEncryptionAlgorithm: 'a', DestinationEncryptionAlgorithm: 'b' },
      { 'kms:EncryptionAlgorithm': ['b'] },
    ],
    ['GenerateDataKeyWithoutPlaintext', {}, { 'kms:EncryptionAlgorithm': ['SYMMETRIC_DEFAULT'] }],
    [
      'GenerateDataKeyPair',
      { KeyPairSpec: 'RSA_2048' },
      { 'kms:DataKeyPairSpec': ['RSA_2048'], 'kms:EncryptionAlgorithm': ['SYMMETRIC_DEFAULT'] },
    ],
    [
      'Sign',
      { SigningAlgorithm: 'ECDSA_SHA_256' },
      { 'kms:SigningAlgorithm': ['ECDSA_SHA_256'], 'kms:MessageType': ['RAW'] },
    ],
    ['Verify', { MessageType: 'DIGEST' }, { 'kms:MessageType': ['DIGEST'] }],
    ['GenerateMac', { MacAlgorithm: 'HMAC_SHA_256' }, { 'kms:MacAlgorithm': ['HMAC_SHA_256'] }],
    ['DeriveSharedSecret', { KeyAgreementAlgorithm: 'ECDH' }, { 'kms:KeyAgreementAlgorithm': ['ECDH'] }],
    [
      'GetParametersForImport',
      { WrappingAlgorithm: 'a', WrappingKeySpec: 'b' },
      { 'kms:WrappingAlgorithm': ['a'], 'kms:WrappingKeySpec': ['b'] },
    ],
    ['ImportKeyMaterial', {}, { 'kms:ExpirationModel': [], 'kms:ValidTo': [] }],
    ['ImportKeyMaterial', { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: new Date(1546257599500) }, {
      'kms:ExpirationModel': ['KEY_MATERIAL_EXPIRES'], 'kms:ValidTo': ['1546257599.5'],
    }], // prettier-ignore
    ['ReplicateKey', { ReplicaRegion: 'eu-west-1' }, { 'kms:ReplicaRegion': ['eu-west-1'] }],
    ['UpdatePrimaryRegion', { PrimaryRegion: 'eu-west-1' }, { 'kms:PrimaryRegion': ['eu-west-1'] }],
    ['EnableKeyRotation', {}, { 'kms:RotationPeriodInDays': ['365'] }],
    ['EnableKeyRotation', { RotationPeriodInDays: 90 }, { 'kms:RotationPeriodInDays': ['90'] }],
    ['ScheduleKeyDeletion', {}, { 'kms:ScheduleKeyDeletionPendingWindowInDays': ['30'] }],
    ['UntagResource', { TagKeys: ['a', 'b'] }, { 'aws:TagKeys': ['a', 'b'] }],
    ['CreateGrant', {
      GranteePrincipal: 'g', RetiringPrincipal: 'r', Operations: ['Decrypt', 'Encrypt'],
      Constraints: { EncryptionContextSubset: { a: '1' } },
    }, {
      'kms:GranteePrincipal': ['g'], 'kms:RetiringPrincipal': ['r'], 'kms:GrantOperations': ['Decrypt', 'Encrypt'],
      'kms:GrantConstraintType': ['EncryptionContextSubset'], 'kms:GrantIsForAWSResource': ['false'],
    }], // prettier-ignore
    ['CreateGrant', {}, { 'kms:GrantConstraintType': [] }],
    [
      'CreateGrant',
      { Constraints: { EncryptionContextSubset: {}, EncryptionContextEquals: { a: '1' } } },
      { 'kms:GrantConstraintType': ['EncryptionContextEquals'] },
    ],
    ['RevokeGrant', {}, { 'kms:GrantIsForAWSResource': ['false'] }],
    ['RetireGrant', {}, { 'kms:GrantIsForAWSResource': [] }],
  ])('say what %s asks for in %j', (permission, input, expected) => {
    expect(contextOf({ permission, input }, ...Object.keys(expected))).toEqual(expected)
  })

  it('are all that policies may rely on', () => {
    const inputs = {
      Constraints: { EncryptionContextEquals: { a: '1' } }, Tags: [{ TagKey: 'a', TagValue: 'b' }], TagKeys: ['a'],
      BypassPolicyLockoutSafetyCheck: true, GranteePrincipal: 'x', RetiringPrincipal: 'x', Operations: ['x'], KeyPairSpec: 'x',
      SigningAlgorithm: 'x', MacAlgorithm: 'x', KeyAgreementAlgorithm: 'x', ExpirationModel: 'x', ValidTo: 1,
      WrappingAlgorithm: 'x', WrappingKeySpec: 'x', PrimaryRegion: 'x', ReplicaRegion: 'x',
    } // prettier-ignore
    const filled = new Set<string>()
    for (const action of kmsPermissions()) {
      const permission = action.slice('kms:'.length)
      const call = { sourceIp: 'x', isSecure: true, userAgent: 'x', isSameKey: true, requestAlias: 'x' }
      const { context } = accessRequest(facts({ permission, input: inputs, key: KEY_FACTS, ...call }))
      for (const [name, values] of context) if (values.length > 0) filled.add(name.toLowerCase().replace(/\/.*/, '/'))
    }
    // Those that the principal and the encryption context say are tested where they are evaluated.
    const others =
      /^(?:aws:principal|aws:resourceaccount|aws:user(?:id|name)|aws:viaaws|kms:calleraccount|kms:encryptioncontext)/
    expect([...filled].sort()).toEqual(
      filledConditionKeys()
        .filter((name) => !others.test(name))
        .sort(),
    )
  })
})

describe('the encryption context of a request', () => {
  it.each<[string, Readonly<Record<string, unknown>>, unknown]>([
    ['Decrypt', { EncryptionContext: { a: '1' } }, { a: '1' }],
    ['Decrypt', {}, undefined],
    ['Decrypt', { EncryptionContext: null }, undefined],
    ['ReEncryptFrom', { SourceEncryptionContext: { a: '1' }, DestinationEncryptionContext: { a: '2' } }, { a: '1' }],
    ['ReEncryptTo', { SourceEncryptionContext: { a: '1' }, DestinationEncryptionContext: { a: '2' } }, { a: '2' }],
    ['CreateGrant', { Constraints: { EncryptionContextEquals: { a: '1' } } }, { a: '1' }],
    ['CreateGrant', { Constraints: { EncryptionContextSubset: { b: '1' } } }, { b: '1' }],
    ['CreateGrant', {}, undefined],
  ])('of %s with %j', (permission, input, expected) => {
    expect(accessRequest(facts({ permission, input })).encryptionContext).toEqual(expected)
  })
})

it('makes requests that policies decide of', () => {
  const Condition = {
    StringEquals: { 'kms:EncryptionContext:app': '${aws:username}', 'kms:KeySpec': 'SYMMETRIC_DEFAULT' },
    'ForAllValues:StringLike': { 'kms:ResourceAliases': 'alias/?' },
    DateGreaterThan: { 'aws:CurrentTime': '2026-11-26' },
    NumericGreaterThan: { 'aws:EpochTime': '1795725014' },
  }
  const document = parsePolicy(
    policyText(statement({ Principal: { AWS: ALICE.arn }, Action: 'kms:Decrypt', Condition })),
    'key',
  )
  const decides = (app: string): string =>
    authorise(accessRequest(facts({ key: KEY_FACTS, input: { EncryptionContext: { app } } })), {
      keyPolicy: { document, ids: IDS },
      identityPolicies: [],
    }).decision
  expect(decides('alice')).toBe('allow')
  expect(decides('bob')).toBe('implicit-deny')
})
