import { readFileSync } from 'node:fs'
import { inspect, multiKeyring, rawAesKeyring, rawRsaKeyring } from '../../src/index.ts'
import type { CommitmentPolicy, Keyring } from '../../src/index.ts'
import { hierarchicalKeyring, staticBranchKeys } from '../../kms/hierarchical/index.ts'
import { rawEcdhKeyring } from '../../src/keyrings/raw-ecdh.ts'
import { staticDataKeyKeyring } from '../../src/keyrings/static-data-key.ts'
import type { KeyEntry, KeyringEntry, MessageEntry } from '../conformance/message-vectors.ts'
import { WAYS_TO_READ } from '../unit/ways-to-read.ts'

/** Messages of the AWS Encryption SDKs: a selection that is always here, and the whole collection where it is. */
export const SOURCES: Readonly<Record<string, URL>> = {
  selection: new URL('selection/', import.meta.url),
  collection: new URL('../../../shared/vectors/esdk/', import.meta.url),
}

/** A folder with `manifest.json`, `keys.json` and the files that they name. */
export class VectorFolder {
  readonly entries: readonly MessageEntry[]
  readonly #folder: URL
  readonly #keys: Readonly<Record<string, KeyEntry>>

  constructor(folder: URL) {
    this.#folder = folder
    this.entries = (JSON.parse(this.#text('manifest.json')) as { tests: MessageEntry[] }).tests
    this.#keys = (JSON.parse(this.#text('keys.json')) as { keys: Record<string, KeyEntry> }).keys
  }

  #text(name: string): string {
    return readFileSync(new URL(name, this.#folder), 'utf8')
  }

  bytes(name: string): Uint8Array {
    return new Uint8Array(readFileSync(new URL(name, this.#folder)))
  }

  keyring(entry: KeyringEntry): Keyring {
    const { type, keyNamespace: namespace = '', keyName: name = '', padding = 'pkcs1', children = [] } = entry
    if (type === 'multi') return multiKeyring({ children: children.map((child) => this.keyring(child)) })
    if (type === 'static-dek') return staticDataKeyKeyring(Buffer.from(entry.plaintextDataKey ?? '', 'base64'))
    if (type === 'raw-ecdh') return this.#ecdhKeyring(entry)
    const key = this.#key(entry.key)
    if (type === 'aws-kms-hierarchy') return hierarchyKeyring(key)
    if (type === 'raw-aes') return rawAesKeyring({ namespace, name, wrappingKey: Buffer.from(key.material, 'base64') })
    if (type !== 'raw-rsa') throw new Error(`no keyring of type ${type}`)
    const keys = key.type === 'rsa-public' ? { publicKey: key.material } : { privateKey: key.material }
    return rawRsaKeyring({ namespace, name, padding, ...keys })
  }

  #key(name = ''): KeyEntry {
    const key = this.#keys[name]
    if (key === undefined) throw new Error(`no key ${name}`)
    return key
  }

  #ecdhKeyring({ curve = 'P-256', schema, recipientKey, senderPublicKeySpkiBase64 = '' }: KeyringEntry): Keyring {
    const { material } = this.#key(recipientKey)
    if (schema === 'discovery') {
      return rawEcdhKeyring({ schema: 'PublicKeyDiscovery', curve, recipientPrivateKey: material })
    }
    // The recipient's own key and the sender's: roles are exchanged on decryption.
    const recipientPublicKey = Buffer.from(senderPublicKeySpkiBase64, 'base64')
    const senderPrivateKey = material
    return rawEcdhKeyring({ schema: 'RawPrivateKeyToStaticPublicKey', curve, senderPrivateKey, recipientPublicKey })
  }
}

function hierarchyKeyring({ branchKeyId = '', branchKeyVersion = '', branchKey = '' }: KeyEntry): Keyring {
  const key = Buffer.from(branchKey, 'base64')
  const branchKeyStore = staticBranchKeys({ branchKeyId, version: branchKeyVersion, branchKey: key })
  return hierarchicalKeyring({ branchKeyStore, branchKeyId, ttl: 60 })
}

export function decryptOptions({ suite, reproducedEncryptionContext, requiredEncryptionContextKeys }: MessageEntry): {
  commitmentPolicy: CommitmentPolicy | undefined
  encryptionContext: Readonly<Record<string, string>> | undefined
  requiredEncryptionContextKeys: readonly string[] | undefined
} {
  const isCommitting = suite === '0478' || suite === '0578'
  const commitmentPolicy = isCommitting ? undefined : 'require-encrypt-allow-decrypt'
  return { commitmentPolicy, encryptionContext: reproducedEncryptionContext, requiredEncryptionContextKeys }
}

/** Some messages announce frames that are longer than they are. */
const STREAM_OPTIONS = { signedStreams: 'allow', maxFrameLength: 2 ** 32 } as const

/** Decrypts the message of an entry in every way: what each answers, the plaintext or the error. */
export async function decryptEntry(
  folder: VectorFolder,
  entry: MessageEntry,
): Promise<Readonly<Record<string, Uint8Array | Error>>> {
  const message = folder.bytes(entry.ciphertext)
  const keyring = folder.keyring(entry.keyring)
  const options = { ...decryptOptions(entry), ...STREAM_OPTIONS }
  const results: Record<string, Uint8Array | Error> = {}
  for (const [way, read] of Object.entries(WAYS_TO_READ)) {
    const { output, error } = await read(keyring, message, options)
    results[way] = error ?? output
  }
  return results
}

/** What `inspect` says of an entry's message, in the words of the manifest. */
export function inspectEntry(folder: VectorFolder, entry: MessageEntry): Partial<MessageEntry> {
  const header = inspect(folder.bytes(entry.ciphertext))
  return {
    suite: header.algorithmSuite.id.toString(16).padStart(4, '0'),
    contentType: header.contentType === 'framed' ? 'framed' : 'nonframed',
    frameLength: header.frameLength,
    encryptedDataKeys: header.encryptedDataKeys.length,
    headerEncryptionContext: { ...header.encryptionContext },
  }
}
