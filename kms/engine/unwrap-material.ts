import { rsaPrivateKey } from '#asymmetric'
import { aesKwp } from '../../bindings/core.ts'
import { AuthenticationError, UnsupportedError } from '../../bindings/errors.ts'
import type { KeyPairSpec, SigningAlgorithm } from '../../bindings/key-pairs.ts'
import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import { invalidImportToken, type ImportToken } from './import-token.ts'
import { keyPairs, withSecret } from './key-pair.ts'
import { importedPair, specification } from './key-spec.ts'
import type { KeyRecord } from './records.ts'
import { unsealWrappingKey } from './wrapping-key.ts'

/** As much as a request can hold. */
const MAX_PRIVATE_KEY_BYTES = 6144

/** Material as it came, of the form that the key's spec has. */
export interface UnwrappedMaterial {
  readonly material: Uint8Array<ArrayBuffer>
  /** Of a key pair: SubjectPublicKeyInfo. */
  readonly publicKey?: Uint8Array<ArrayBuffer>
}

/**
 * Unwraps material with the private key that the token names, in the way that the token says. The caller wipes it.
 *
 * @throws KmsError `InvalidImportTokenException` if that private key is gone, `InvalidCiphertextException` for whatever
 *   does not unwrap, `IncorrectKeyMaterialException` for what is no material of the key's spec
 */
export async function unwrapMaterial(
  context: ActionContext,
  { keyId, keySpec }: KeyRecord,
  { algorithm, wrappingKeyId }: ImportToken,
  wrapped: Uint8Array,
): Promise<UnwrappedMaterial> {
  const privateKey = await unsealWrappingKey(context, { keyId, id: wrappingKeyId })
  if (!privateKey) throw invalidImportToken()
  const pair = importedPair(keySpec)
  const unwrapped = await withSecret(context, privateKey, async (own) => {
    const material = await unwrap(own, algorithm, wrapped)
    if (!material) return undefined
    try {
      const publicKey = pair && (await provenPublicKey(pair, material))
      return { material, ...(publicKey && { publicKey }) }
    } catch (error) {
      material.fill(0)
      throw error
    }
  })
  if (!unwrapped) throw new KmsError('InvalidCiphertextException')
  const { importBytes: [least, most] = [1, MAX_PRIVATE_KEY_BYTES] } = specification(keySpec) ?? {}
  const { length } = unwrapped.material
  if (length < least || length > most || (pair && !unwrapped.publicKey)) {
    throw incorrectKeyMaterial(`The key material is not of a form that a key of spec ${keySpec} can have.`)
  }
  return unwrapped
}

const TRIAL = new Uint8Array(32)

/** The public key of a private key that is of the spec, and works: what it signs, its public key verifies. */
export async function provenPublicKey(
  spec: KeyPairSpec,
  privateKey: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const publicKey = await keyPairs.publicKeyOf(spec, privateKey)
  if (!publicKey) return undefined
  const algorithm = specification(spec)?.signing?.[0] as SigningAlgorithm
  const message = { algorithm, bytes: TRIAL, isDigest: false }
  try {
    const signature = await keyPairs.sign(privateKey, message)
    return (await keyPairs.verify(publicKey, message, signature)) ? publicKey : undefined
  } catch (error) {
    if (error instanceof UnsupportedError) throw error
    return undefined // the private key's numbers do not fit together
  }
}

export function incorrectKeyMaterial(message: string): KmsError {
  return new KmsError('IncorrectKeyMaterialException', message)
}

/** RSAES-OAEP; or an AES key by it, and then the material by AES-KWP (PKCS #11, CKM_RSA_AES_KEY_WRAP). */
async function unwrap(
  privateKey: Uint8Array,
  algorithm: string,
  wrapped: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const key = rsaPrivateKey(privateKey)
  const hash = algorithm.endsWith('_SHA_1') ? 'sha1' : 'sha256'
  if (algorithm.startsWith('RSAES_OAEP')) return key.decryptOaep(hash, wrapped)
  const blockBytes = key.modulusBits / 8
  const aesKey = await key.decryptOaep(hash, wrapped.subarray(0, blockBytes))
  if (!aesKey) return undefined
  try {
    return unwrapPadded(aesKey, wrapped.subarray(blockBytes))
  } finally {
    aesKey.fill(0)
  }
}

function unwrapPadded(aesKey: Uint8Array, wrapped: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  try {
    const keyWrap = aesKwp(aesKey)
    try {
      return keyWrap.unwrap(wrapped)
    } finally {
      keyWrap.dispose()
    }
  } catch (error) {
    // No key of AES, or no length that a wrapped key has.
    if (error instanceof AuthenticationError || error instanceof RangeError) return undefined
    throw error
  }
}
