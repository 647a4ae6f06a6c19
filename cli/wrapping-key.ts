import { InvalidArgumentError } from 'commander'
import { kmsKeyring, type KmsProvider } from '../kms/index.ts'
import { rawAesKeyring, rawRsaKeyring, type Keyring, type RsaPadding } from '../src/index.ts'
import { rawEcdhKeyring, type EcdhCurve } from '../src/keyrings/raw-ecdh.ts'
import { assertKnown, parseAttributes, type Attributes } from './attributes.ts'
import { CommandError } from './failure.ts'
import { askPassphrase, passphraseFrom } from './passphrase.ts'
import { readSmallFile } from './small-file.ts'

/** A wrapping key as `--wrapping-key` describes it. */
export interface WrappingKey {
  readonly provider: ProviderName
  readonly attributes: Attributes
}

interface Provider {
  readonly needs: readonly string[]
  readonly takes: readonly string[]
  readonly needsKms?: boolean
  readonly open: (attributes: Attributes, use: KeyUse) => Promise<OpenKey>
}

/** What a key is opened for. */
export interface KeyUse {
  readonly direction: 'encrypt' | 'decrypt'
  readonly kms: KmsProvider | undefined
}

/** A keyring, and where it holds what can be wiped, the means to wipe it. */
export type OpenKey = Keyring & { dispose?(): void }

type ProviderName = 'kms' | 'raw-aes' | 'raw-rsa' | 'raw-ecdh' | 'passphrase'

/** More than any key has in any encoding. */
const MAX_KEY_FILE_BYTES = 0x100000

const PADDINGS: readonly RsaPadding[] = ['pkcs1', 'oaep-sha1', 'oaep-sha256', 'oaep-sha384', 'oaep-sha512']
const CURVES: readonly EcdhCurve[] = ['P-256', 'P-384', 'P-521']
const ENCODINGS = ['raw', 'hex', 'base64'] as const

const PROVIDERS: Readonly<Record<ProviderName, Provider>> = {
  kms: { needs: ['key'], takes: [], needsKms: true, open: openKms },
  'raw-aes': { needs: ['namespace', 'name'], takes: ['file', 'fd', 'encoding'], open: openRawAes },
  'raw-rsa': { needs: ['namespace', 'name', 'padding'], takes: ['public-key', 'private-key'], open: openRawRsa },
  'raw-ecdh': { needs: ['curve'], takes: ['public-key', 'private-key'], open: openRawEcdh },
  passphrase: { needs: [], takes: ['file', 'fd'], open: openPassphrase },
}

/** The providers and what each takes, in one line for `--help`. */
export const WRAPPING_KEY_HELP: string = Object.entries(PROVIDERS)
  .map(([name, { needs, takes }]) => {
    const optional = takes.length === 0 ? '' : `[,${takes.join(',')}]`
    return `provider=${[name, ...needs].join(',')}${optional}`
  })
  .join('; ')

/** Reads one `provider=…,name=value,…`, and adds it to those before. */
export function wrappingKey(text: string, previous: readonly WrappingKey[] = []): readonly WrappingKey[] {
  const attributes = parseAttributes(text)
  const provider = attributes.get('provider') ?? ''
  if (!isProvider(provider)) {
    throw new InvalidArgumentError(`it must have provider=${Object.keys(PROVIDERS).join('|')}`)
  }
  const { needs, takes } = PROVIDERS[provider]
  assertKnown(attributes, ['provider', ...needs, ...takes])
  const missing = needs.find((name) => !attributes.has(name))
  if (missing !== undefined) throw new InvalidArgumentError(`provider=${provider} needs ${missing}=…`)
  assertOneOf(attributes, 'padding', PADDINGS)
  assertOneOf(attributes, 'curve', CURVES)
  assertOneOf(attributes, 'encoding', ENCODINGS)
  if (attributes.has('file') && attributes.has('fd')) throw new InvalidArgumentError('give file=… or fd=…, not both')
  return [...previous, { provider, attributes }]
}

export function needsKms({ provider }: WrappingKey): boolean {
  const { needsKms = false } = PROVIDERS[provider]
  return needsKms
}

/** Reads the key's files, or asks at the terminal, and makes its keyring. */
export async function openWrappingKey({ provider, attributes }: WrappingKey, use: KeyUse): Promise<OpenKey> {
  return PROVIDERS[provider].open(attributes, use)
}

function isProvider(name: string): name is ProviderName {
  return Object.hasOwn(PROVIDERS, name)
}

function assertOneOf(attributes: Attributes, name: string, values: readonly string[]): void {
  const value = attributes.get(name)
  if (value === undefined || values.includes(value)) return
  throw new InvalidArgumentError(`${name} must be one of ${values.join(', ')}`)
}

async function openKms(attributes: Attributes, { kms }: KeyUse): Promise<Keyring> {
  if (kms === undefined) throw new CommandError('key', 'there is no KMS for provider=kms')
  return kmsKeyring({ provider: kms, generatorKeyId: attributes.get('key') })
}

async function openRawAes(attributes: Attributes): Promise<Keyring> {
  const bytes = await readSecret(attributes)
  const wrapping = decode(bytes, attributes)
  try {
    return rawAesKeyring({ ...nameOf(attributes), wrappingKey: wrapping })
  } catch (error) {
    if (!(error instanceof RangeError) || [16, 24, 32].includes(wrapping.length)) throw error
    throw new CommandError(
      'usage',
      `the key of provider=raw-aes has ${wrapping.length} bytes: it must have 16, 24 or 32; encoding=hex or base64 for a text`,
    )
  } finally {
    bytes.fill(0)
    wrapping.fill(0)
  }
}

function decode(bytes: Uint8Array, attributes: Attributes): Uint8Array {
  const encoding = attributes.get('encoding') ?? 'raw'
  if (encoding === 'raw') return bytes
  const text = Buffer.from(bytes).toString('latin1').trim()
  const isText = encoding === 'hex' ? /^(?:[0-9a-f]{2})*$/i : /^[A-Za-z0-9+/]*={0,2}$/
  if (!isText.test(text)) throw new CommandError('usage', `the key of provider=raw-aes is no ${encoding}`)
  return Buffer.from(text, encoding as 'hex' | 'base64')
}

async function openRawRsa(attributes: Attributes): Promise<Keyring> {
  const publicKey = await keyFile(attributes.get('public-key'))
  const privateKey = await keyFile(attributes.get('private-key'))
  return rawRsaKeyring({
    ...nameOf(attributes),
    padding: attributes.get('padding') as RsaPadding,
    publicKey,
    privateKey,
  })
}

function nameOf(attributes: Attributes): { namespace: string; name: string } {
  return { namespace: attributes.get('namespace') ?? '', name: attributes.get('name') ?? '' }
}

/** PEM as text, anything else as DER. */
async function keyFile(path: string | undefined): Promise<string | Uint8Array | undefined> {
  if (path === undefined) return undefined
  const bytes = await readSmallFile(path, MAX_KEY_FILE_BYTES)
  const text = bytes.toString('latin1')
  return text.includes('-----BEGIN ') ? text : new Uint8Array(bytes)
}

/**
 * By the keys that are given: one's own and the other party's, between two who know each other; the other party's alone
 * encrypts to it; one's own alone decrypts what anybody has encrypted to it.
 */
async function openRawEcdh(attributes: Attributes, { direction }: KeyUse): Promise<Keyring> {
  const needed = direction === 'encrypt' ? 'public-key' : 'private-key'
  if (!attributes.has(needed)) {
    throw new CommandError('usage', `provider=raw-ecdh needs ${needed}=… to ${direction}`)
  }
  const curve = attributes.get('curve') as EcdhCurve
  const other = await keyFile(attributes.get('public-key'))
  const own = await keyFile(attributes.get('private-key'))
  if (own === undefined) {
    return rawEcdhKeyring({ schema: 'EphemeralPrivateKeyToStaticPublicKey', curve, recipientPublicKey: other! })
  }
  if (other === undefined) return rawEcdhKeyring({ schema: 'PublicKeyDiscovery', curve, recipientPrivateKey: own })
  return rawEcdhKeyring({
    schema: 'RawPrivateKeyToStaticPublicKey',
    curve,
    senderPrivateKey: own,
    recipientPublicKey: other,
  })
}

async function openPassphrase(attributes: Attributes, { direction }: KeyUse): Promise<OpenKey> {
  const path = secretPath(attributes)
  const passphrase = await (path === undefined ? askPassphrase(direction) : passphraseFrom(path))
  const { passphraseKeyring } = await import('../kms/providers/passphrase.ts')
  return passphraseKeyring({ passphrase })
}

async function readSecret(attributes: Attributes): Promise<Uint8Array> {
  const path = secretPath(attributes)
  if (path === undefined) throw new CommandError('usage', 'the wrapping key needs file=… or fd=…')
  return readSmallFile(path, MAX_KEY_FILE_BYTES)
}

function secretPath(attributes: Attributes): string | undefined {
  const descriptor = attributes.get('fd')
  if (descriptor === undefined) return attributes.get('file')
  if (!/^\d{1,9}$/.test(descriptor)) throw new CommandError('usage', 'fd must be the number of an open file')
  return `/dev/fd/${descriptor}`
}
