import { readFile } from 'node:fs/promises'
import { InvalidArgumentError } from 'commander'
import { kmsKeyring, type KmsProvider } from '../kms/index.ts'
import { rawAesKeyring, rawRsaKeyring, type Keyring, type RsaPadding } from '../src/index.ts'
import { assertKnown, parseAttributes, type Attributes } from './attributes.ts'
import { CommandError } from './failure.ts'
import { fileError } from './file-error.ts'

/** A wrapping key as `--wrapping-key` describes it. */
export interface WrappingKey {
  readonly provider: ProviderName
  readonly attributes: Attributes
}

interface Provider {
  readonly needs: readonly string[]
  readonly takes: readonly string[]
  readonly needsKms?: boolean
  readonly open: (attributes: Attributes, kms: KmsProvider | undefined) => Promise<Keyring>
}

type ProviderName = 'kms' | 'raw-aes' | 'raw-rsa'

const PADDINGS: readonly RsaPadding[] = ['pkcs1', 'oaep-sha1', 'oaep-sha256', 'oaep-sha384', 'oaep-sha512']
const ENCODINGS = ['raw', 'hex', 'base64'] as const

const PROVIDERS: Readonly<Record<ProviderName, Provider>> = {
  kms: { needs: ['key'], takes: [], needsKms: true, open: openKms },
  'raw-aes': { needs: ['namespace', 'name'], takes: ['file', 'fd', 'encoding'], open: openRawAes },
  'raw-rsa': { needs: ['namespace', 'name', 'padding'], takes: ['public-key', 'private-key'], open: openRawRsa },
}

/** The providers and what each takes, in one line for `--help`. */
export const WRAPPING_KEY_HELP: string = Object.entries(PROVIDERS)
  .map(([name, { needs, takes }]) => {
    const optional = takes.length === 0 ? '' : `[,${takes.join(',')}]`
    return `provider=${name},${needs.join(',')}${optional}`
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
  assertOneOf(attributes, 'encoding', ENCODINGS)
  if (attributes.has('file') && attributes.has('fd')) throw new InvalidArgumentError('give file=… or fd=…, not both')
  return [...previous, { provider, attributes }]
}

export function needsKms({ provider }: WrappingKey): boolean {
  const { needsKms = false } = PROVIDERS[provider]
  return needsKms
}

/** Reads the key's files and makes its keyring. */
export async function openWrappingKey({ provider, attributes }: WrappingKey, kms?: KmsProvider): Promise<Keyring> {
  return PROVIDERS[provider].open(attributes, kms)
}

function isProvider(name: string): name is ProviderName {
  return Object.hasOwn(PROVIDERS, name)
}

function assertOneOf(attributes: Attributes, name: string, values: readonly string[]): void {
  const value = attributes.get(name)
  if (value === undefined || values.includes(value)) return
  throw new InvalidArgumentError(`${name} must be one of ${values.join(', ')}`)
}

async function openKms(attributes: Attributes, kms: KmsProvider | undefined): Promise<Keyring> {
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
  const publicKey = await rsaKey(attributes.get('public-key'))
  const privateKey = await rsaKey(attributes.get('private-key'))
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
async function rsaKey(path: string | undefined): Promise<string | Uint8Array | undefined> {
  if (path === undefined) return undefined
  const bytes = await read(path)
  const text = bytes.toString('latin1')
  return text.includes('-----BEGIN ') ? text : new Uint8Array(bytes)
}

async function readSecret(attributes: Attributes): Promise<Uint8Array> {
  const path = attributes.get('file')
  const descriptor = attributes.get('fd')
  if (path !== undefined) return read(path)
  if (descriptor === undefined) throw new CommandError('usage', 'the wrapping key needs file=… or fd=…')
  if (!/^\d{1,9}$/.test(descriptor)) throw new CommandError('usage', 'fd must be the number of an open file')
  return read(`/dev/fd/${descriptor}`)
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw fileError('read', path, error)
  }
}
