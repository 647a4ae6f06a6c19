import { UnsupportedError } from './errors.ts'
import { hmac } from './hash.ts'
import type { KeyPairs } from './key-pairs.ts'

/** Of what AWS KMS does with asymmetric keys, WebCrypto can do a part only; a key that works in part is worse than none. */
export const keyPairs: KeyPairs = {
  generate: unsupported,
  sign: unsupported,
  verify: unsupported,
  agree: unsupported,
  async mac(hash, key, message) {
    if (hash === 'sha224') throw new UnsupportedError('this runtime has no SHA-224')
    return hmac(hash, key, message)
  },
}

function unsupported(): Promise<never> {
  return Promise.reject(new UnsupportedError('this runtime has no node:crypto, which asymmetric KMS keys need'))
}
