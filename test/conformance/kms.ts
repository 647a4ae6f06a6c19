import { decrypt, encrypt, inspect, multiKeyring, type Keyring } from 'waxseal'
import { kmsKeyring, type KmsProvider } from 'waxseal/kms'
import { createEngine, KmsError, type Engine } from 'waxseal/kms/engine'
import { memoryStore } from 'waxseal/kms/store/memory'
import { pattern } from './bytes.ts'
import { allZero, equal, isTrue, rejects, sameBytes } from './check.ts'
import { EXPECTED } from './expected.ts'
import { aesKeyring, engineProvider } from './keyrings.ts'
import { group, type Case } from './runtime.ts'

const ROOT_KEY = pattern(32, 4)
const CONTEXT = { tenant: 'a' }

interface Kms {
  readonly engine: Engine
  readonly provider: KmsProvider
  readonly keyId: string
  readonly arn: string
}

/** An engine on a new store, with one key and the alias `alias/conformance`. */
export async function newKms(unsafeRandom?: (length: number) => Uint8Array): Promise<Kms> {
  const engine = await createEngine({ store: memoryStore(), rootKey: ROOT_KEY, unsafeRandom })
  const { KeyMetadata } = await engine.call('CreateKey', { Description: 'of the conformance suite' })
  await engine.call('CreateAlias', { AliasName: 'alias/conformance', TargetKeyId: KeyMetadata.KeyId })
  return { engine, provider: engineProvider(engine), keyId: KeyMetadata.KeyId, arn: KeyMetadata.Arn }
}

async function fails(act: () => Promise<unknown>, name: string): Promise<void> {
  const error = await rejects(act, EXPECTED.kms, name)
  isTrue(error instanceof KmsError, `${name} is a KmsError`)
  equal(error.name, name, 'the name of the exception')
}

async function actions(): Promise<void> {
  const { engine, keyId, arn } = await newKms()
  const plaintext = pattern(100)
  const sealed = await engine.call('Encrypt', { KeyId: keyId, Plaintext: plaintext, EncryptionContext: CONTEXT })
  equal(sealed.KeyId, arn, 'the key')
  const opened = await engine.call('Decrypt', { CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: CONTEXT })
  sameBytes(opened.Plaintext, plaintext, 'the plaintext')
  const dataKey = await engine.call('GenerateDataKey', { KeyId: 'alias/conformance', KeySpec: 'AES_256' })
  const again = await engine.call('Decrypt', { CiphertextBlob: dataKey.CiphertextBlob, KeyId: arn })
  sameBytes(again.Plaintext, dataKey.Plaintext, 'the data key')
  equal((await engine.call('ListKeys', {})).Keys, [{ KeyId: keyId, KeyArn: arn }], 'the keys')
  const { Aliases } = await engine.call('ListAliases', {})
  equal(
    Aliases.map(({ AliasName }) => AliasName),
    ['alias/conformance'],
    'the aliases',
  )
  await engine.close()
}

async function exceptions(): Promise<void> {
  const { engine, keyId } = await newKms()
  const { CiphertextBlob } = await engine.call('Encrypt', { KeyId: keyId, Plaintext: pattern(4) })
  const EncryptionContext = CONTEXT
  await fails(() => engine.call('Decrypt', { CiphertextBlob, EncryptionContext }), 'InvalidCiphertextException')
  await fails(() => engine.call('DescribeKey', { KeyId: 'alias/none' }), 'NotFoundException')
  await fails(() => engine.call('CreateKey', { KeySpec: 'NONE' }), 'ValidationException')
  await fails(() => engine.call('Encrypt', { KeyId: keyId, Plaintext: pattern(4097) }), 'ValidationException')
  const alias = { AliasName: 'alias/conformance', TargetKeyId: keyId }
  await fails(() => engine.call('CreateAlias', alias), 'AlreadyExistsException')
  await engine.close()
  await fails(() => engine.call('ListKeys', {}), 'KMSInternalException')
}

async function reopening(): Promise<void> {
  const store = memoryStore()
  const rootKey = ROOT_KEY.slice()
  const first = await createEngine({ store, rootKey })
  rootKey.fill(0)
  const { KeyMetadata } = await first.call('CreateKey', {})
  const { CiphertextBlob } = await first.call('Encrypt', { KeyId: KeyMetadata.KeyId, Plaintext: pattern(9) })
  await first.close()
  await fails(() => createEngine({ store, rootKey: pattern(32, 5) }), 'RootKeyException')
  const second = await createEngine({ store, rootKey: ROOT_KEY })
  sameBytes((await second.call('Decrypt', { CiphertextBlob })).Plaintext, pattern(9), 'the plaintext')
  await second.close()
}

async function keyrings(): Promise<void> {
  const { engine, provider, keyId, arn } = await newKms()
  const generatorKeyId = 'alias/conformance'
  for (const [name, keyring] of Object.entries({
    alias: kmsKeyring({ provider, generatorKeyId }),
    'key id': kmsKeyring({ provider, generatorKeyId: keyId }),
    ARN: kmsKeyring({ provider, generatorKeyId: arn }),
    'a function of the region': kmsKeyring({ provider: () => provider, generatorKeyId: arn }),
    'a multi-keyring': multiKeyring({
      generator: kmsKeyring({ provider, generatorKeyId }),
      children: [aesKeyring()],
    }),
  })) {
    const message = await encrypt(keyring, pattern(300), { encryptionContext: CONTEXT })
    const [encryptedDataKey] = inspect(message).encryptedDataKeys
    equal(encryptedDataKey?.providerId, 'aws-kms', `the provider id with ${name}`)
    equal(new TextDecoder().decode(encryptedDataKey?.providerInfo), arn, `the key with ${name}`)
    sameBytes((await decrypt(keyring, message)).plaintext, pattern(300), `the plaintext with ${name}`)
    const discovery = kmsKeyring({ provider, discovery: { partition: 'aws', accounts: ['000000000000'] } })
    sameBytes((await decrypt(discovery, message)).plaintext, pattern(300), 'the plaintext by discovery')
    const elsewhere = kmsKeyring({ provider, discovery: { accounts: ['111111111111'] } })
    await rejects(() => decrypt(elsewhere, message), EXPECTED.keyUnavailable, 'discovery in another account')
  }
  await engine.close()
}

async function refusals(): Promise<void> {
  const { engine, provider, arn } = await newKms()
  const keyring = kmsKeyring({ provider, generatorKeyId: arn })
  const message = await encrypt(keyring, pattern(3), { encryptionContext: CONTEXT })
  const { KeyMetadata } = await engine.call('CreateKey', {})
  const other = kmsKeyring({ provider, generatorKeyId: KeyMetadata.Arn })
  await rejects(() => decrypt(other, message), EXPECTED.keyUnavailable, 'decrypt with another key')
  await rejects(
    () => encrypt(kmsKeyring({ provider, discovery: true }), pattern(3)),
    EXPECTED.keyUnavailable,
    'encrypt by discovery',
  )
  const missing = kmsKeyring({ provider, generatorKeyId: 'alias/none' })
  await fails(() => encrypt(missing, pattern(3)), 'NotFoundException')
  const reason = new RangeError('no longer wanted')
  const signal = AbortSignal.abort(reason)
  equal(await rejects(() => decrypt(keyring, message, { signal }), EXPECTED.range, 'decrypt'), reason, 'its reason')
  await engine.close()
}

/** The plaintexts that a provider answers are the keyring's to wipe. */
async function wiped(): Promise<void> {
  const { engine, provider, arn } = await newKms()
  const answered: Uint8Array[] = []
  const noted = <T extends { readonly plaintext: Uint8Array }>(answer: T): T => {
    answered.push(answer.plaintext)
    return answer
  }
  const watched: KmsProvider = {
    generateDataKey: async (request) => noted(await provider.generateDataKey(request)),
    encrypt: (request) => provider.encrypt(request),
    decrypt: async (request) => noted(await provider.decrypt(request)),
  }
  const keyring: Keyring = kmsKeyring({ provider: watched, generatorKeyId: arn })
  await decrypt(keyring, await encrypt(keyring, pattern(3)))
  equal(answered.length, 2, 'the number of plaintexts that the provider answered')
  for (const plaintext of answered) allZero(plaintext, 'the plaintext')
  await engine.close()
}

/** The embedded key management service on its store in memory, and the keyring over it. */
/** The service of a Region in which replicas of one key share the material of a real one. */
function regional({ provider, arn }: Kms, region: string): KmsProvider {
  return {
    region,
    generateDataKey: async (request) => {
      return { ...(await provider.generateDataKey({ ...request, keyId: arn })), keyId: request.keyId }
    },
    encrypt: async (request) => ({ ...(await provider.encrypt({ ...request, keyId: arn })), keyId: request.keyId }),
    decrypt: async (request) => ({ ...(await provider.decrypt({ ...request, keyId: arn })), keyId: request.keyId }),
  }
}

async function replicas(): Promise<void> {
  const kms = await newKms()
  const id = 'mrk-1234abcd12ab34cd56ef1234567890ab'
  const east = `arn:aws:kms:us-east-1:000000000000:key/${id}`
  const west = `arn:aws:kms:us-west-2:000000000000:key/${id}`
  const plaintext = pattern(10)
  const message = await encrypt(kmsKeyring({ provider: regional(kms, 'us-east-1'), generatorKeyId: east }), plaintext)
  const provider = regional(kms, 'us-west-2')
  const strict = kmsKeyring({ provider, keyIds: [west], multiRegion: true })
  sameBytes((await decrypt(strict, message)).plaintext, plaintext, 'the plaintext by the replica')
  const discovery = kmsKeyring({ provider, discovery: { accounts: ['000000000000'] }, multiRegion: true })
  sameBytes((await decrypt(discovery, message)).plaintext, plaintext, 'the plaintext by discovery')
  const unaware = kmsKeyring({ provider, keyIds: [west] })
  await rejects(() => decrypt(unaware, message), EXPECTED.keyUnavailable, 'a keyring that is not multi-Region aware')
}

export const kmsCases: readonly Case[] = group('kms', {
  'replicas of a multi-Region key': replicas,
  'the actions of the engine': actions,
  exceptions,
  'a store that is opened again': reopening,
  'the keyring, by alias, id, ARN, region and discovery': keyrings,
  'what the keyring refuses': refusals,
  'data keys are wiped': wiped,
})
