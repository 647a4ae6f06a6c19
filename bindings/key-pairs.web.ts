import { hmac } from './hash.ts'
import type { KeyPairs } from './key-pairs.ts'

const load = (): Promise<Omit<KeyPairs, 'mac'>> => import('./key-operations.web.ts').then((part) => part.keyOperations)

/**
 * Asymmetric keys where there is no native node:crypto, in a part that is loaded when the first is used: by WebCrypto as
 * far as that goes. Signatures over a given digest, secp256k1 and what else a runtime lacks are made by @noble/curves and
 * in big integers, which are not constant-time.
 */
export const keyPairs: KeyPairs = {
  generate: async (spec) => (await load()).generate(spec),
  publicKeyOf: async (spec, privateKey) => (await load()).publicKeyOf(spec, privateKey),
  sign: async (privateKey, message) => (await load()).sign(privateKey, message),
  verify: async (publicKey, message, signature) => (await load()).verify(publicKey, message, signature),
  agree: async (privateKey, peerPublicKey) => (await load()).agree(privateKey, peerPublicKey),
  async mac(hash, key, message) {
    if (hash !== 'sha224') return hmac(hash, key, message)
    const { hmacSha224 } = await import('./sha224.noble.ts')
    return hmacSha224(key, message)
  },
}
