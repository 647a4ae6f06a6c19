import { keyPairs } from '#key-pairs'
import type { KeyPair, SignedMessage, SigningAlgorithm } from '../../bindings/key-pairs.ts'
import type * as postQuantum from '../../bindings/post-quantum.noble.ts'
import type { Encapsulated } from '../../bindings/post-quantum.noble.ts'
import { isPostQuantum, ML_DSA, type PairSpec } from './key-spec.ts'

// Key pairs of every kind: those of the runtime, and those of ML-DSA and ML-KEM, whose code is loaded on their first use.

const load = (): Promise<typeof postQuantum> => import('../../bindings/post-quantum.noble.ts')

/** A message, the digest of one, or, for ML-DSA, the 64-byte representative of one. */
export interface MessageToSign {
  readonly algorithm: string
  readonly bytes: Uint8Array
  readonly isDigest: boolean
}

export async function generateKeyPair(spec: PairSpec): Promise<KeyPair> {
  return isPostQuantum(spec) ? (await load()).generatePostQuantum(spec) : keyPairs.generate(spec)
}

export async function signWith(privateKey: Uint8Array, message: MessageToSign): Promise<Uint8Array<ArrayBuffer>> {
  if (!isClassical(message)) return (await load()).signMlDsa(privateKey, message.bytes, message.isDigest)
  return keyPairs.sign(privateKey, message)
}

export async function verifyWith(
  publicKey: Uint8Array,
  message: MessageToSign,
  signature: Uint8Array,
): Promise<boolean> {
  if (!isClassical(message)) return (await load()).verifyMlDsa(publicKey, message.bytes, message.isDigest, signature)
  return keyPairs.verify(publicKey, message, signature)
}

export async function encapsulateTo(publicKey: Uint8Array): Promise<Encapsulated> {
  return (await load()).encapsulate(publicKey)
}

/** Undefined if the ciphertext is not as long as those of the key. */
export async function decapsulateWith(
  privateKey: Uint8Array,
  ciphertext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return (await load()).decapsulate(privateKey, ciphertext)
}

function isClassical(message: MessageToSign): message is SignedMessage & { readonly algorithm: SigningAlgorithm } {
  return message.algorithm !== ML_DSA
}
