import { AuthenticationError } from '../../bindings/errors.ts'
import { fromBase64, toBase64 } from '../base64.ts'
import { KmsError } from '../errors.ts'
import type { Store, StoreTransaction } from '../store/store.ts'
import { CHAIN } from './audit-log.ts'
import { fromHex, lengthPrefixed, toHex } from './bytes.ts'
import { keyPairs, supported } from './key-pair.ts'
import { RootKeys } from './keys.ts'
import { RecordTransaction, tampered, type HeadKeyRecord, type Stored } from './records.ts'
import type { StoreKeys } from './store-keys.ts'

/** The newest record of a log: whoever keeps it elsewhere sees later whether records after it, or it, were taken away. */
export interface AuditHead {
  readonly records: number
  /** Hex. */
  readonly mac: string
}

/** A head as it may lie where others can write: nobody but the KMS makes one. */
export interface SignedAuditHead extends AuditHead {
  /** When it was signed, in ISO 8601. */
  readonly time: string
  /** SubjectPublicKeyInfo in base64. A KMS signs all heads under one key, which it keeps for itself. */
  readonly publicKey: string
  /** Ed25519 (RFC 8032), in base64. */
  readonly signature: string
}

const HEAD_KEY_ROW = 'audit/head-key'

interface HeadKey {
  readonly publicKey: Uint8Array<ArrayBuffer>
  readonly privateKey: Uint8Array<ArrayBuffer>
}

/**
 * Whether a head was signed under a public key (SubjectPublicKeyInfo in base64): what is signed is the label
 * `waxseal-kms-audit-head-v1`, the chain's name, the number of records, the MAC and the time, each as text with its
 * length in front (u32).
 *
 * @throws KmsError `UnsupportedOperationException` where the runtime has no Ed25519
 */
export async function verifyAuditHead(head: SignedAuditHead, publicKey: string): Promise<boolean> {
  const [key, signature] = [fromBase64(publicKey), fromBase64(head.signature)]
  if (!key || !signature) return false
  return supported(keyPairs.verify(key, messageOf(head), signature))
}

function messageOf({ records, mac, time }: Omit<SignedAuditHead, 'signature' | 'publicKey'>): {
  readonly algorithm: 'ED25519_SHA_512'
  readonly bytes: Uint8Array
  readonly isDigest: false
} {
  const bytes = lengthPrefixed('waxseal-kms-audit-head-v1', CHAIN, String(records), mac, time)
  return { algorithm: 'ED25519_SHA_512', bytes, isDigest: false }
}

/**
 * Signs heads under a key of the store, made at the first of them. Its private key is sealed under the store's own
 * secret, so that it stays when the root key changes.
 */
export class HeadSigner {
  readonly #store: Store
  readonly #keys: RootKeys
  readonly #random: (length: number) => Uint8Array
  readonly #secret: Uint8Array

  constructor(host: {
    readonly store: Store
    readonly keys: RootKeys
    readonly storeKeys: StoreKeys
    readonly random: (length: number) => Uint8Array
  }) {
    this.#store = host.store
    this.#keys = host.keys
    this.#random = host.random
    this.#secret = host.storeKeys.heads
  }

  async sign(head: AuditHead, now: number): Promise<SignedAuditHead> {
    const { publicKey, privateKey } = await this.#open(await this.#key())
    try {
      const signed = { ...head, time: new Date(now).toISOString(), publicKey: toBase64(publicKey) }
      return { ...signed, signature: toBase64(await supported(keyPairs.sign(privateKey, messageOf(signed)))) }
    } finally {
      privateKey.fill(0)
    }
  }

  /** @throws KmsError `KMSInternalException` for a head that this KMS did not sign */
  async assertSigned(heads: readonly SignedAuditHead[]): Promise<void> {
    if (heads.length === 0) return
    const record = await this.#store.transaction('read', (rows) => this.#read(rows))
    const publicKey = record && toBase64(fromHex(record.record.publicKey))
    for (const head of heads) {
      if (publicKey !== undefined && head.publicKey === publicKey && (await verifyAuditHead(head, publicKey))) continue
      throw new KmsError(
        'KMSInternalException',
        `the head of ${String(head.records)} records is not signed by this KMS`,
      )
    }
  }

  async #key(): Promise<HeadKeyRecord> {
    const known = await this.#store.transaction('read', (rows) => this.#read(rows))
    if (known) return known.record
    const { publicKey, privateKey } = await supported(keyPairs.generate('ECC_NIST_EDWARDS25519'))
    const sealed = await this.#withSealing((keys) => toHex(keys.seal(privateKey, ...describe(toHex(publicKey)))))
    privateKey.fill(0)
    return this.#store.transaction('write', async (rows) => {
      // Another process may have made one since.
      const made = await this.#read(rows)
      if (made) return made.record
      const record = { publicKey: toHex(publicKey), privateKey: sealed }
      await new RecordTransaction(rows, this.#keys).put('meta', HEAD_KEY_ROW, record)
      return record
    })
  }

  async #read(rows: StoreTransaction): Promise<Stored<HeadKeyRecord> | undefined> {
    const stored = await new RecordTransaction(rows, this.#keys).get('meta', HEAD_KEY_ROW)
    if (stored && !('privateKey' in stored.record)) throw tampered('meta', HEAD_KEY_ROW)
    return stored as Stored<HeadKeyRecord> | undefined
  }

  async #open({ publicKey, privateKey }: HeadKeyRecord): Promise<HeadKey> {
    try {
      const opened = await this.#withSealing((keys) => keys.unseal(fromHex(privateKey), ...describe(publicKey)))
      return { publicKey: fromHex(publicKey), privateKey: opened }
    } catch (error) {
      throw error instanceof AuthenticationError ? tampered('meta', HEAD_KEY_ROW) : error
    }
  }

  async #withSealing<T>(work: (keys: RootKeys) => T): Promise<T> {
    const keys = new RootKeys(this.#secret, this.#random)
    try {
      return work(keys)
    } finally {
      keys.wipe()
    }
  }
}

function describe(publicKey: string): readonly string[] {
  return ['audit head key', publicKey]
}
