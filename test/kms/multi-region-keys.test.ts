import { beforeEach, describe, expect, it } from 'vitest'
import type { ActionInput } from '../../kms/engine/index.ts'
import { ABSENT, ACCOUNT, NOW, refused } from './engine-setup.ts'
import {
  arnIn,
  describeIn,
  EAST,
  encryptIn,
  expectReadable,
  HOME,
  newRelatedKeys,
  openRegions,
  PLAINTEXT,
  type Regions,
  WEST,
} from './multi-region-setup.ts'

const MRK = /^mrk-[0-9a-f]{32}$/
let kms: Regions

beforeEach(async () => {
  kms = await openRegions()
})

describe('CreateKey with MultiRegion', () => {
  it('makes a primary key without replicas', async () => {
    const { KeyMetadata } = await kms.in(HOME)('CreateKey', { MultiRegion: true })
    const { KeyId } = KeyMetadata
    expect(KeyId).toMatch(MRK)
    expect(KeyMetadata).toMatchObject({
      Arn: arnIn(HOME, KeyId),
      KeyState: 'Enabled',
      MultiRegion: true,
      MultiRegionConfiguration: {
        MultiRegionKeyType: 'PRIMARY',
        PrimaryKey: { Arn: arnIn(HOME, KeyId), Region: HOME },
        ReplicaKeys: [],
      },
    })
    expect(await kms.in(HOME)('DescribeKey', { KeyId })).toEqual({ KeyMetadata })
    expect(KeyMetadata).not.toHaveProperty('PendingDeletionWindowInDays')
    for (const region of [WEST, EAST]) {
      await refused(describeIn(kms, region, KeyId), 'NotFoundException', `Key '${arnIn(region, KeyId)}' does not exist`)
    }
  })

  it('makes a key of one Region where it is false or absent', async () => {
    for (const input of [{}, { MultiRegion: false }]) {
      const { KeyMetadata } = await kms.in(HOME)('CreateKey', input)
      expect(KeyMetadata.KeyId).not.toMatch(MRK)
      expect(KeyMetadata.MultiRegion).toBe(false)
      expect(KeyMetadata).not.toHaveProperty('MultiRegionConfiguration')
    }
  })
})

/** A primary key at home with one replica, in {@link WEST}. */
function relatedTo(KeyId: string): object {
  return {
    PrimaryKey: { Arn: arnIn(HOME, KeyId), Region: HOME },
    ReplicaKeys: [{ Arn: arnIn(WEST, KeyId), Region: WEST }],
  }
}

/** What does not change of the replica's metadata; made a second after its primary key. */
function replicaOf(KeyId: string): object {
  return {
    AWSAccountId: ACCOUNT,
    Arn: arnIn(WEST, KeyId),
    CreationDate: new Date(NOW + 1000),
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    Description: 'west',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    KeyId,
    KeyManager: 'CUSTOMER',
    KeySpec: 'SYMMETRIC_DEFAULT',
    KeyUsage: 'ENCRYPT_DECRYPT',
    MultiRegion: true,
    MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA', ...relatedTo(KeyId) },
    Origin: 'AWS_KMS',
  }
}

describe('ReplicateKey', () => {
  it('answers a key that is being created, which is there', async () => {
    const { KeyId, CurrentKeyMaterialId } = (
      await kms.in(HOME)('CreateKey', { MultiRegion: true, Description: 'home' })
    ).KeyMetadata
    kms.wait(1000)
    const Tags = [{ TagKey: 'a', TagValue: 'b' }]
    const input = { KeyId: arnIn(HOME, KeyId), ReplicaRegion: WEST, Description: 'west', Tags }
    const answer = await kms.in(HOME)('ReplicateKey', input)
    const related = relatedTo(KeyId)
    const metadata = replicaOf(KeyId)
    const { Policy } = await kms.in(WEST)('GetKeyPolicy', { KeyId })
    expect(answer).toEqual({
      ReplicaKeyMetadata: { ...metadata, Enabled: false, KeyState: 'Creating' },
      ReplicaPolicy: Policy,
      ReplicaTags: Tags,
    })
    expect(await describeIn(kms, WEST, KeyId)).toEqual({
      ...metadata,
      Enabled: true,
      KeyState: 'Enabled',
      CurrentKeyMaterialId,
    })
    expect(await describeIn(kms, HOME, KeyId)).toMatchObject({
      Description: 'home',
      MultiRegionConfiguration: { MultiRegionKeyType: 'PRIMARY', ...related },
    })
    expect(JSON.parse(Policy)).toMatchObject({ Id: 'key-default-1' })
  })

  it('makes a description that is empty, no tags and the default policy of what is not given', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'kms:*', Resource: '*' },
    })
    const own = { Description: 'home', Tags: [{ TagKey: 'a', TagValue: 'b' }], Policy }
    const { KeyId } = (await kms.in(HOME)('CreateKey', { MultiRegion: true, ...own })).KeyMetadata
    const answer = await kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion: WEST })
    expect(answer.ReplicaKeyMetadata.Description).toBe('')
    expect(answer.ReplicaTags).toEqual([])
    expect(answer.ReplicaPolicy).not.toBe(Policy)
    const other = await kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion: EAST, Policy })
    expect(other.ReplicaPolicy).toBe(Policy)
    expect((await kms.in(EAST)('GetKeyPolicy', { KeyId })).Policy).toBe(Policy)
    const regions = other.ReplicaKeyMetadata.MultiRegionConfiguration?.ReplicaKeys.map(({ Region }) => Region)
    expect(regions).toEqual([WEST, EAST])
    for (const region of [HOME, WEST]) {
      const { MultiRegionConfiguration } = await describeIn(kms, region, KeyId)
      expect(MultiRegionConfiguration?.ReplicaKeys).toEqual(
        [WEST, EAST].map((Region) => ({ Arn: arnIn(Region, KeyId), Region })),
      )
    }
  })

  it('is refused for what is no primary key', async () => {
    const { KeyId: single } = (await kms.in(HOME)('CreateKey', {})).KeyMetadata
    const related = await newRelatedKeys(kms)
    for (const [region, KeyId] of [
      [HOME, single],
      [WEST, related],
    ] as const) {
      const call = kms.in(region)('ReplicateKey', { KeyId, ReplicaRegion: EAST })
      const message = `${arnIn(region, KeyId)} is not a multi-region primary key.`
      await refused(call, 'UnsupportedOperationException', message)
    }
    await refused(describeIn(kms, EAST, related), 'NotFoundException')
  })

  it('is refused where the key is already, also when that one is to be deleted', async () => {
    const KeyId = await newRelatedKeys(kms)
    const replicate = (ReplicaRegion: string) => kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion })
    const message = `${HOME} cannot have a replica because it contains the primary.`
    await refused(replicate(HOME), 'AlreadyExistsException', message)
    await refused(replicate(WEST), 'AlreadyExistsException', `${arnIn(WEST, KeyId)} already exists.`)
    await kms.in(WEST)('ScheduleKeyDeletion', { KeyId })
    await refused(replicate(WEST), 'AlreadyExistsException', `${arnIn(WEST, KeyId)} already exists.`)
    expect(await describeIn(kms, WEST, KeyId)).toMatchObject({ KeyState: 'PendingDeletion' })
  })

  it('is refused for a Region that is not served, and for what names none', async () => {
    const { KeyId } = (await kms.in(HOME)('CreateKey', { MultiRegion: true })).KeyMetadata
    const replicate = (ReplicaRegion: string) => kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion })
    const message = 'This KMS does not serve the Region eu-west-1.'
    await refused(replicate('eu-west-1'), 'UnsupportedOperationException', message)
    await refused(replicate('Frankfurt'), 'ValidationException', /Value 'Frankfurt' at 'replicaRegion' failed/)
    expect((await describeIn(kms, HOME, KeyId)).MultiRegionConfiguration?.ReplicaKeys).toEqual([])
  })

  it.each<[Partial<ActionInput<'ReplicateKey'>>, Parameters<typeof refused>[1], string | RegExp]>([
    [{ KeyId: ABSENT }, 'NotFoundException', `Key '${arnIn(HOME, ABSENT)}' does not exist`],
    [{ KeyId: 'alias/a' }, 'NotFoundException', "Invalid keyId 'alias/a'"],
    [{ KeyId: arnIn(EAST, ABSENT) }, 'NotFoundException', `Invalid arn ${EAST}`],
    [{ KeyId: 'arn:aws:kms' }, 'InvalidArnException', 'Invalid arn arn:aws:kms'],
    [{ Tags: [{ TagKey: 'aws:a', TagValue: '' }] }, 'TagException', 'Tags beginning with aws: are reserved'],
    [{ Policy: '{' }, 'MalformedPolicyDocumentException', /./],
    [{ Policy: '{"Version":"2012-10-17","Statement":[]}' }, 'MalformedPolicyDocumentException', /./],
    [{ Description: 'x'.repeat(8193) }, 'ValidationException', /at 'description' failed/],
  ])('is refused with %j, and leaves nothing in either Region', async (input, name, message) => {
    const { KeyId } = (await kms.in(HOME)('CreateKey', { MultiRegion: true })).KeyMetadata
    await refused(kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion: WEST, ...input }), name, message)
    expect((await kms.in(WEST)('ListKeys', {})).Keys).toEqual([])
    expect((await describeIn(kms, HOME, KeyId)).MultiRegionConfiguration?.ReplicaKeys).toEqual([])
    await kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion: WEST })
  })
})

describe('related keys', () => {
  it('read what each of them wrote, and nobody else does', async () => {
    const KeyId = await newRelatedKeys(kms)
    const other = await newRelatedKeys(kms)
    for (const region of [HOME, WEST]) {
      const blob = await encryptIn(kms, region, KeyId)
      await expectReadable(kms, blob, KeyId, [HOME, WEST])
      const elsewhere = kms.in(EAST)('Decrypt', { CiphertextBlob: blob })
      await refused(elsewhere, 'NotFoundException', `Key '${arnIn(EAST, KeyId)}' does not exist`)
      await refused(kms.in(WEST)('Decrypt', { CiphertextBlob: blob, KeyId: other }), 'IncorrectKeyException')
      const context = kms.in(WEST)('Decrypt', { CiphertextBlob: blob, EncryptionContext: { a: 'b' } })
      await refused(context, 'InvalidCiphertextException', '')
    }
    await refused(encryptIn(kms, HOME, arnIn(WEST, KeyId)), 'NotFoundException', `Invalid arn ${WEST}`)
  })

  it('re-encrypt and make data keys for each other', async () => {
    const KeyId = await newRelatedKeys(kms)
    const { CiphertextBlob, Plaintext } = await kms.in(WEST)('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })
    expect((await kms.in(HOME)('Decrypt', { CiphertextBlob })).Plaintext).toEqual(Plaintext)
    const moved = await kms.in(HOME)('ReEncrypt', {
      CiphertextBlob,
      DestinationKeyId: KeyId,
      DestinationEncryptionContext: { a: 'b' },
    })
    const read = { CiphertextBlob: moved.CiphertextBlob, EncryptionContext: { a: 'b' } }
    expect((await kms.in(WEST)('Decrypt', read)).Plaintext).toEqual(Plaintext)
  })

  it.each([
    ['RSA_2048', 'SIGN_VERIFY', 'RSASSA_PSS_SHA_256'],
    ['ECC_NIST_P256', 'SIGN_VERIFY', 'ECDSA_SHA_256'],
    ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY', 'ED25519_SHA_512'],
  ])('have one key pair: %s', async (KeySpec, KeyUsage, SigningAlgorithm) => {
    const KeyId = await newRelatedKeys(kms, [WEST], { KeySpec, KeyUsage })
    const [home, west] = await Promise.all([HOME, WEST].map((region) => kms.in(region)('GetPublicKey', { KeyId })))
    expect(west?.PublicKey).toEqual(home?.PublicKey)
    const input = { KeyId, Message: PLAINTEXT, SigningAlgorithm }
    const { Signature } = await kms.in(WEST)('Sign', input)
    expect((await kms.in(HOME)('Verify', { ...input, Signature })).SignatureValid).toBe(true)
  })

  it('have one HMAC key', async () => {
    const KeyId = await newRelatedKeys(kms, [WEST], { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })
    const input = { KeyId, Message: PLAINTEXT, MacAlgorithm: 'HMAC_SHA_256' }
    const macs = await Promise.all([HOME, WEST].map((region) => kms.in(region)('GenerateMac', input)))
    expect(macs[0]?.Mac).toEqual(macs[1]?.Mac)
  })

  it('have their own state, description, tags, aliases, policy, grants and last use', async () => {
    const KeyId = await newRelatedKeys(kms)
    await kms.in(WEST)('DisableKey', { KeyId })
    await kms.in(WEST)('UpdateKeyDescription', { KeyId, Description: 'west' })
    await kms.in(WEST)('TagResource', { KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })
    await kms.in(WEST)('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId })
    expect(await describeIn(kms, HOME, KeyId)).toMatchObject({ KeyState: 'Enabled', Description: '' })
    expect((await kms.in(HOME)('ListResourceTags', { KeyId })).Tags).toEqual([])
    expect((await kms.in(HOME)('ListAliases', {})).Aliases).toEqual([])
    expect((await kms.in(WEST)('ListAliases', {})).Aliases).toMatchObject([{ TargetKeyId: KeyId }])
    await refused(encryptIn(kms, WEST, KeyId), 'DisabledException', `${arnIn(WEST, KeyId)} is disabled.`)
    const blob = await encryptIn(kms, HOME, KeyId)
    await refused(kms.in(WEST)('Decrypt', { CiphertextBlob: blob }), 'DisabledException')
    await kms.in(WEST)('EnableKey', { KeyId })

    const grant = { KeyId, GranteePrincipal: `arn:aws:iam::${ACCOUNT}:user/alice`, Operations: ['Decrypt'] }
    const { GrantId, GrantToken } = await kms.in(WEST)('CreateGrant', grant)
    expect((await kms.in(HOME)('ListGrants', { KeyId })).Grants).toEqual([])
    await refused(kms.in(HOME)('RevokeGrant', { KeyId, GrantId }), 'NotFoundException', `Grant ID ${GrantId} not found`)
    const input = { CiphertextBlob: blob, GrantTokens: [GrantToken] }
    expect((await kms.in(WEST)('Decrypt', input)).KeyId).toBe(arnIn(WEST, KeyId))
    expect((await kms.in(HOME)('GetKeyLastUsage', { KeyId })).KeyLastUsage?.Operation).toBe('Encrypt')
    expect((await kms.in(WEST)('GetKeyLastUsage', { KeyId })).KeyLastUsage?.Operation).toBe('Decrypt')
  })

  it('are listed each in its Region', async () => {
    const KeyId = await newRelatedKeys(kms)
    for (const region of [HOME, WEST]) {
      expect((await kms.in(region)('ListKeys', {})).Keys).toEqual([{ KeyId, KeyArn: arnIn(region, KeyId) }])
    }
    expect((await kms.in(EAST)('ListKeys', {})).Keys).toEqual([])
  })
})
