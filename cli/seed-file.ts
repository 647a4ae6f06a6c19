import { createPrivateKey, type KeyObject } from 'node:crypto'
import { LineCounter, parseDocument } from 'yaml'
import type { SeededKey } from '../kms/engine/index.ts'
import { CommandError } from './failure.ts'
import { readSmallFile } from './small-file.ts'

// The shape that users of local-kms know: Keys.Symmetric.Aes, Keys.Asymmetric.Rsa and .Ecc, and Aliases; Hmac, Tags and
// Policy are ours. No message has a value of the file in it, but for names and ids.

export interface SeedFile {
  readonly keys: readonly SeededKey[]
  readonly aliases: readonly { readonly AliasName: string; readonly TargetKeyId: string }[]
}

type Mapping = Readonly<Record<string, unknown>>

const MAX_FILE_BYTES = 0x1000000
const METADATA = ['KeyId', 'Description', 'KeyUsage', 'Origin', 'Tags', 'Policy']
const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'ECC_NIST_P256',
  secp384r1: 'ECC_NIST_P384',
  secp521r1: 'ECC_NIST_P521',
  secp256k1: 'ECC_SECG_P256K1',
}
const HMAC_SPECS: Readonly<Record<number, string>> = { 28: 'HMAC_224', 32: 'HMAC_256', 48: 'HMAC_384', 64: 'HMAC_512' }

/** Reads a seed file, YAML or JSON. @throws CommandError that names the place of what is wrong */
export async function readSeedFile(path: string): Promise<SeedFile> {
  const bytes = await readSmallFile(path, MAX_FILE_BYTES)
  try {
    const { Keys, Aliases } = mapping(parse(bytes.toString('utf8'), path), path, ['Keys', 'Aliases'])
    const { Symmetric, Asymmetric } = mapping(Keys ?? {}, 'Keys', ['Symmetric', 'Asymmetric'])
    const { Aes, Hmac } = mapping(Symmetric ?? {}, 'Keys.Symmetric', ['Aes', 'Hmac'])
    const { Rsa, Ecc } = mapping(Asymmetric ?? {}, 'Keys.Asymmetric', ['Rsa', 'Ecc'])
    const keys = [
      ...list(Aes, 'Keys.Symmetric.Aes', aesKey),
      ...list(Hmac, 'Keys.Symmetric.Hmac', hmacKey),
      ...list(Rsa, 'Keys.Asymmetric.Rsa', (value, place) => keyPair(value, place, ['rsa'])),
      ...list(Ecc, 'Keys.Asymmetric.Ecc', (value, place) => keyPair(value, place, ['ec', 'ed25519'])),
    ]
    const aliases = list(Aliases, 'Aliases', (value, place) => {
      const alias = mapping(value, place, ['AliasName', 'TargetKeyId'])
      return { AliasName: text(alias, 'AliasName', place), TargetKeyId: text(alias, 'TargetKeyId', place) }
    })
    return { keys, aliases }
  } finally {
    bytes.fill(0)
  }
}

/** Every scalar is a text: a material of sixty-four decimal digits is no number. */
function parse(source: string, path: string): unknown {
  const lineCounter = new LineCounter()
  const document = parseDocument(source, { schema: 'failsafe', prettyErrors: false, lineCounter })
  const [error] = [...document.errors, ...document.warnings]
  if (error) {
    const { line } = lineCounter.linePos(error.pos[0])
    throw new CommandError('usage', `line ${line} of ${path} is not YAML: ${error.code}`)
  }
  try {
    return document.toJS() as unknown
  } catch {
    throw new CommandError('usage', `${path} has too many aliases of YAML`)
  }
}

function mapping(value: unknown, place: string, members: readonly string[]): Mapping {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(place, 'is no mapping')
  const unknown = Object.keys(value).find((name) => !members.includes(name))
  if (unknown !== undefined) throw wrong(place, `has ${unknown}, which is none of ${members.join(', ')}`)
  return value as Mapping
}

function list<T>(value: unknown, place: string, read: (value: unknown, place: string) => T): T[] {
  if (value === undefined || value === '') return []
  if (!Array.isArray(value)) throw wrong(place, 'is no list')
  return value.map((member: unknown, index) => read(member, `${place}[${index}]`))
}

function optionalText(value: Mapping, name: string, place: string): string | undefined {
  const member = value[name]
  if (member === undefined || typeof member === 'string') return member
  throw wrong(place, `has a ${name} that is no text`)
}

function text(value: Mapping, name: string, place: string): string {
  const member = optionalText(value, name, place)
  if (member === undefined || member === '') throw wrong(place, `has no ${name}`)
  return member
}

type Described = Omit<SeededKey, 'materials' | 'nextRotation'>

/** What all keys have in common. */
function described(key: Mapping, place: string): Described {
  const inside = `${place}.Metadata`
  const metadata = mapping(key.Metadata, inside, METADATA)
  const origin = optionalText(metadata, 'Origin', inside) ?? 'AWS_KMS'
  if (origin !== 'AWS_KMS') throw wrong(inside, `has the Origin ${origin}: seeds are of AWS_KMS`)
  const { Policy } = metadata
  return {
    keyId: text(metadata, 'KeyId', inside),
    Description: optionalText(metadata, 'Description', inside),
    KeyUsage: optionalText(metadata, 'KeyUsage', inside),
    Policy: Policy === undefined || typeof Policy === 'string' ? Policy : JSON.stringify(Policy),
    Tags: list(metadata.Tags, `${inside}.Tags`, (value, at) => {
      const tag = mapping(value, at, ['TagKey', 'TagValue'])
      return { TagKey: text(tag, 'TagKey', at), TagValue: optionalText(tag, 'TagValue', at) ?? '' }
    }),
  }
}

function backingKeys(key: Mapping, place: string): Uint8Array[] {
  return list(key.BackingKeys, `${place}.BackingKeys`, (value, at) => {
    if (typeof value !== 'string' || !/^(?:[0-9a-f]{2})+$/i.test(value)) throw wrong(at, 'is not hexadecimal')
    return Uint8Array.from(Buffer.from(value, 'hex'))
  })
}

function aesKey(value: unknown, place: string): SeededKey {
  const key = mapping(value, place, ['Metadata', 'BackingKeys', 'NextKeyRotation'])
  const next = optionalText(key, 'NextKeyRotation', place)
  const nextRotation = next === undefined ? undefined : Date.parse(next)
  if (Number.isNaN(nextRotation)) throw wrong(place, 'has a NextKeyRotation that is no date')
  return { ...described(key, place), materials: backingKeys(key, place), nextRotation }
}

function hmacKey(value: unknown, place: string): SeededKey {
  const key = mapping(value, place, ['Metadata', 'BackingKeys'])
  const materials = backingKeys(key, place)
  const KeySpec = HMAC_SPECS[materials[0]?.length ?? 0]
  if (KeySpec === undefined || materials.length !== 1)
    throw wrong(place, 'needs one BackingKey of 28, 32, 48 or 64 bytes')
  return { KeyUsage: 'GENERATE_VERIFY_MAC', ...given(described(key, place)), KeySpec, materials }
}

function keyPair(value: unknown, place: string, types: readonly string[]): SeededKey {
  const key = mapping(value, place, ['Metadata', 'PrivateKeyPem'])
  const privateKey = readPem(text(key, 'PrivateKeyPem', place), place)
  const KeySpec = types.includes(privateKey.asymmetricKeyType ?? '') ? specOf(privateKey) : undefined
  if (KeySpec === undefined) throw wrong(place, 'has a PrivateKeyPem of a kind that no key of it has')
  const der = privateKey.export({ format: 'der', type: 'pkcs8' })
  const materials = [Uint8Array.from(der)]
  der.fill(0)
  return { KeyUsage: 'SIGN_VERIFY', ...given(described(key, place)), KeySpec, materials }
}

/** Members that are not given give way to defaults. */
function given(key: Described): Described {
  return Object.fromEntries(Object.entries(key).filter(([, value]) => value !== undefined)) as unknown as Described
}

function readPem(pem: string, place: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    // No cause: it could quote the key.
    throw wrong(place, 'has a PrivateKeyPem that is no private key')
  }
}

function specOf({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): string | undefined {
  if (asymmetricKeyType === 'ed25519') return 'ECC_NIST_EDWARDS25519'
  if (asymmetricKeyType === 'ec') return CURVES[asymmetricKeyDetails.namedCurve ?? '']
  const length = asymmetricKeyDetails.modulusLength
  return length === 2048 || length === 3072 || length === 4096 ? `RSA_${length}` : undefined
}

function wrong(place: string, what: string): CommandError {
  return new CommandError('usage', `the seed file is not in its form: ${place} ${what}`)
}
