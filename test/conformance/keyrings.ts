import {
  multiKeyring,
  rawAesKeyring,
  rawRsaKeyring,
  unwrapFailure,
  type Keyring,
  type RawAesKeyring,
  type RsaPadding,
} from 'waxseal'
import type { Engine } from 'waxseal/kms/engine'
import type { KmsProvider } from 'waxseal/kms'
import { pattern } from './bytes.ts'

export const NAMESPACE = 'conformance'

/** A 2,048-bit RSA pair, for tests alone. */
export interface RsaPair {
  readonly publicKey: string
  readonly privateKey: string
}

export const RSA_PADDINGS: readonly RsaPadding[] = ['pkcs1', 'oaep-sha1', 'oaep-sha256', 'oaep-sha384', 'oaep-sha512']

export function aesKeyring(keyBytes: 16 | 24 | 32 = 32, name = `aes-${keyBytes}`): RawAesKeyring {
  return rawAesKeyring({ namespace: NAMESPACE, name, wrappingKey: pattern(keyBytes, keyBytes) })
}

/** A keyring of the runtime's RSA, with both keys or one of them. */
export function rsaKeyring(padding: RsaPadding, keys: Partial<RsaPair>): Keyring {
  return rawRsaKeyring({ namespace: NAMESPACE, name: `rsa-${padding}`, padding, ...keys })
}

export function aesPairKeyring(): Keyring {
  return multiKeyring({ generator: aesKeyring(16), children: [aesKeyring(24), aesKeyring(32)] })
}

/** A keyring as a user may write one: this data key for every message, not wrapped at all. */
export function staticKeyring(dataKey: Uint8Array): Keyring {
  const encryptedDataKey = { providerId: 'static', providerInfo: new Uint8Array(0), ciphertext: new Uint8Array(0) }
  const keyring: Required<Keyring> = {
    wrapSync: (materials) => {
      materials.setDataKey(dataKey.slice())
      materials.addEncryptedDataKey(encryptedDataKey)
    },
    unwrapSync: ({ suite }) => {
      if (dataKey.length === suite.keyBytes) return dataKey.slice()
      throw unwrapFailure('static keyring', [new RangeError('the data key has another length')])
    },
    wrap: async (materials) => {
      keyring.wrapSync(materials)
    },
    unwrap: async (materials, encryptedDataKeys) => keyring.unwrapSync(materials, encryptedDataKeys),
  }
  return keyring
}

/** An engine as the key service of a keyring, as a user writes it where there are no files. */
export function engineProvider(engine: Engine): KmsProvider {
  return {
    async generateDataKey({ keyId, numberOfBytes, encryptionContext, signal }) {
      const input = { KeyId: keyId, NumberOfBytes: numberOfBytes, EncryptionContext: encryptionContext }
      const answer = await engine.call('GenerateDataKey', input, { signal })
      return { keyId: answer.KeyId, plaintext: answer.Plaintext, ciphertext: answer.CiphertextBlob }
    },
    async encrypt({ keyId, plaintext, encryptionContext, signal }) {
      const input = { KeyId: keyId, Plaintext: plaintext, EncryptionContext: encryptionContext }
      const answer = await engine.call('Encrypt', input, { signal })
      return { keyId: answer.KeyId, ciphertext: answer.CiphertextBlob }
    },
    async decrypt({ keyId, ciphertext, encryptionContext, signal }) {
      const input = { KeyId: keyId, CiphertextBlob: ciphertext, EncryptionContext: encryptionContext }
      const answer = await engine.call('Decrypt', input, { signal })
      return { keyId: answer.KeyId, plaintext: answer.Plaintext }
    },
    async resolveKeyId({ keyId, signal }) {
      const { KeyMetadata } = await engine.call('DescribeKey', { KeyId: keyId }, { signal })
      return KeyMetadata.Arn
    },
  }
}
