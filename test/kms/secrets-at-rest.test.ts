import { createHmac, createPrivateKey, hkdfSync, randomBytes } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createEngine, type Engine } from '../../kms/engine/index.ts'
import { RootKeys } from '../../kms/engine/keys.ts'
import { localKms } from '../../kms/providers/local.ts'
import { sqliteStore } from '../../kms/store/sqlite.ts'
import { importMaterial } from './import-setup.ts'
import { connected, EXTERNAL_STORE, HSM_STORE, newStores } from './key-store-setup.ts'
import { PIN } from './memory-hsm.ts'
import { temporaryFolder } from './temporary.ts'
import { SECRET_ACCESS_KEY } from './xks-proxy.ts'

const folder = temporaryFolder()

/** Every file of a KMS's directory, the write-ahead log included. */
function filesOf(directory: string): ReadonlyMap<string, Buffer> {
  return new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]))
}

/** The forms in which bytes could stand in a file, base64 at each of its three alignments. */
function formsOf(secret: Uint8Array): Buffer[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const base64 = [0, 1, 2].map((start) => {
    const whole = bytes.subarray(start, bytes.length - ((bytes.length - start) % 3))
    return whole.toString('base64')
  })
  const texts = [
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replace(/\+/g, '-').replace(/\//g, '_')),
  ]
  return [bytes, Buffer.from(bytes).reverse(), ...texts.map((text) => Buffer.from(text))]
}

function assertAbsent(secret: Uint8Array, directory: string): void {
  for (const [name, content] of filesOf(directory)) {
    for (const form of formsOf(secret)) expect(content.includes(form), `a secret is in ${name}`).toBe(false)
  }
}

/** The commitment in a ciphertext blob tells which bytes its material is (HKDF by node:crypto, not by the core). */
function isMaterialOf(candidate: Uint8Array, blob: Uint8Array): boolean {
  const keyId = blob.subarray(2, 2 + blob[1]!)
  const rest = blob.subarray(2 + keyId.length)
  const [materialId, salt, commitment] = [rest.subarray(0, 32), rest.subarray(32, 64), rest.subarray(64, 96)]
  const info = Buffer.concat([Buffer.from('waxseal-kms-blob-v1'), keyId, materialId])
  const keys = Buffer.from(hkdfSync('sha512', candidate, salt, info, 64))
  return keys.subarray(32).equals(commitment)
}

/** One of each kind whose private part is made in its own way. */
const KINDS = [
  ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'],
  ['RSA_2048', 'SIGN_VERIFY'],
  ['ECC_NIST_P256', 'SIGN_VERIFY'],
  ['ECC_NIST_P521', 'KEY_AGREEMENT'],
  ['ECC_SECG_P256K1', 'SIGN_VERIFY'],
  ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY'],
  ['HMAC_512', 'GENERATE_VERIFY_MAC'],
] as const

const USER = 'arn:aws:iam::000000000000:user/alice'

/** All that the engine seals. */
const LABELS = [
  ...['access key', 'audit head key', 'import token', 'key store secret', 'material', 'store secret'],
  'wrapping key',
]

/** Copies of all that is sealed from now on, with what it is. */
function watchSeals(): { readonly label: string; readonly secret: Uint8Array }[] {
  const sealed: { label: string; secret: Uint8Array }[] = []
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its `this` below
  const { seal } = RootKeys.prototype
  vi.spyOn(RootKeys.prototype, 'seal').mockImplementation(function (this: RootKeys, secret, ...description) {
    sealed.push({ label: description[0] ?? '', secret: Uint8Array.from(secret) })
    return seal.call(this, secret, ...description)
  })
  return sealed
}

/** The secret numbers in a private key: who has them needs no PKCS #8 around them. */
function privateNumbers(material: Uint8Array): Uint8Array[] {
  // Other secrets are shorter.
  if (material.length < 48 || material[0] !== 0x30) return []
  const { d, p, q } = createPrivateKey({ key: Buffer.from(material), format: 'der', type: 'pkcs8' }).export({
    format: 'jwk',
  })
  return [d, p, q].flatMap((text) => (text === undefined ? [] : [Uint8Array.from(Buffer.from(text, 'base64url'))]))
}

/** As lines of JSON. */
async function exportLog({ audit }: Engine, file: string): Promise<void> {
  const entries = await audit.list({ limit: 10_000 })
  expect(entries.length).toBeGreaterThan(9)
  writeFileSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('the files of a KMS', () => {
  it('hold no root key, no key material and no plaintext', async () => {
    const directory = join(folder, 'engine')
    const drawn: Buffer[] = []
    const unsafeRandom = (length: number): Uint8Array => {
      const bytes = randomBytes(length)
      drawn.push(bytes)
      return Uint8Array.from(bytes)
    }
    const rootKey = randomBytes(32)
    const store = await sqliteStore({ file: join(directory, 'kms.sqlite') })
    const engine = await createEngine({ store, rootKey: Uint8Array.from(rootKey), unsafeRandom })

    const secrets: Uint8Array[] = [rootKey]
    const blobs: Uint8Array[] = []
    for (let i = 0; i < 5; i++) {
      const { KeyId } = (await engine.call('CreateKey', { Description: 'd', Tags: [] })).KeyMetadata
      await engine.call('CreateAlias', { AliasName: `alias/${String(i)}`, TargetKeyId: KeyId })
      const Plaintext = Uint8Array.from(randomBytes(64))
      const made = await engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })
      const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext })
      await engine.call('Decrypt', { CiphertextBlob })
      secrets.push(Plaintext, made.Plaintext)
      blobs.push(CiphertextBlob)
    }
    for (const blob of blobs) {
      const material = drawn.filter((bytes) => bytes.length === 32 && isMaterialOf(bytes, blob))
      expect(material).toHaveLength(1)
      secrets.push(...material)
    }
    expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(16)

    const names = [...filesOf(directory).keys()]
    expect(names).toContain('kms.sqlite-wal')
    expect(filesOf(directory).get('kms.sqlite-wal')?.length).toBeGreaterThan(10_000)
    for (const secret of secrets) assertAbsent(secret, directory)
    await engine.close()
    for (const secret of secrets) assertAbsent(secret, directory)
  })

  it('hold nothing that was sealed, of keys of every kind and of users; nor does the log that is exported', async () => {
    const directory = join(folder, 'sealed')
    const sealed = watchSeals()
    const rootKey = Uint8Array.from(randomBytes(32))
    const store = await sqliteStore({ file: join(directory, 'kms.sqlite') })
    const { engine } = await newStores({ rootKey, clock: Date.now }, store)
    const secrets: Uint8Array[] = []
    for (const [KeySpec, KeyUsage] of KINDS) {
      const { KeyId } = (await engine.call('CreateKey', { KeySpec, KeyUsage })).KeyMetadata
      if (KeySpec === 'SYMMETRIC_DEFAULT') {
        await engine.call('RotateKeyOnDemand', { KeyId })
        const pair = await engine.call('GenerateDataKeyPair', { KeyId, KeyPairSpec: 'ECC_NIST_P256' })
        secrets.push(pair.PrivateKeyPlaintext)
        const made = await engine.call('CreateGrant', { KeyId, GranteePrincipal: USER, Operations: ['Decrypt'] })
        secrets.push(Buffer.from(made.GrantToken, 'base64'))
      }
    }
    await connected(engine, EXTERNAL_STORE)
    await connected(engine, HSM_STORE)
    const { KeyId } = (await engine.call('CreateKey', { Origin: 'EXTERNAL' })).KeyMetadata
    const imported = Uint8Array.from(randomBytes(32))
    await importMaterial(engine, KeyId, imported)
    await engine.audit.signedHead()
    await engine.iam('CreateUser', { UserName: 'alice' })
    const { AccessKey } = await engine.iam('CreateAccessKey', { UserName: 'alice' })
    await engine.credentials.find(AccessKey.AccessKeyId)
    await engine.call('GenerateRandom', { NumberOfBytes: 32 }).then(({ Plaintext }) => secrets.push(Plaintext))

    expect([...new Set(sealed.map(({ label }) => label))].sort()).toEqual(LABELS)
    const texts = sealed.map(({ secret }) => Buffer.from(secret).toString())
    expect(texts).toEqual(expect.arrayContaining([AccessKey.SecretAccessKey, SECRET_ACCESS_KEY, PIN]))
    expect(sealed.map(({ secret }) => secret)).toContainEqual(imported)
    const inner = sealed.flatMap(({ secret }) => privateNumbers(secret))
    expect(inner).toHaveLength(11)
    secrets.push(...sealed.map(({ secret }) => secret), ...inner)
    await exportLog(engine, join(directory, 'audit.jsonl'))
    for (const secret of secrets) assertAbsent(secret, directory)
    await engine.close()
    for (const secret of secrets) assertAbsent(secret, directory)
  })

  it('hold what is no secret: the search finds it', async () => {
    const directory = join(folder, 'found')
    const rootKey = Uint8Array.from(randomBytes(32))
    const store = await sqliteStore({ file: join(directory, 'kms.sqlite') })
    const engine = await createEngine({ store, rootKey })
    const { KeyMetadata } = await engine.call('CreateKey', { Description: 'found by the search' })
    const materialId = Buffer.from(KeyMetadata.CurrentKeyMaterialId ?? '', 'hex')
    expect(() => {
      assertAbsent(Buffer.from('found by the search'), directory)
    }).toThrow(/a secret is in kms.sqlite-wal/)
    expect(() => {
      assertAbsent(materialId, directory)
    }).toThrow(/a secret is in kms.sqlite-wal/)
    await engine.close()
  })

  it('of localKms hold neither its root key nor what is derived from it for rows', async () => {
    const [directory, rootKeyFile] = [join(folder, 'local'), join(folder, 'local.key')]
    const { engine, close } = await localKms({ directory, rootKeyFile })
    await engine.call('CreateKey', {})
    const rootKey = Buffer.from(readFileSync(rootKeyFile, 'utf8').trim().split(' ')[1] ?? '', 'hex')
    expect(rootKey).toHaveLength(32)
    const rowKey = Buffer.from(hkdfSync('sha512', rootKey, '', 'waxseal-kms-row-v1', 32))
    assertAbsent(rootKey, directory)
    assertAbsent(rowKey, directory)
    assertAbsent(createHmac('sha512', Buffer.alloc(64)).update(rootKey).digest(), directory)
    await close()
    assertAbsent(rootKey, directory)
  })
})
