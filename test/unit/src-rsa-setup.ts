import { constants, generateKeyPairSync, publicEncrypt, type KeyPairKeyObjectResult } from 'node:crypto'
import { rawRsaKeyring } from '../../src/index.ts'
import type { Keyring, RsaPadding } from '../../src/index.ts'
import { NAMES } from './src-setup.ts'

export const pair: KeyPairKeyObjectResult = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const pkcs8: Buffer<ArrayBuffer> = pair.privateKey.export({ format: 'der', type: 'pkcs8' })
export const spki: Buffer<ArrayBuffer> = pair.publicKey.export({ format: 'der', type: 'spki' })

export function rsa(padding: RsaPadding): Keyring {
  return rawRsaKeyring({ ...NAMES, padding, publicKey: spki, privateKey: pkcs8 })
}

export function pkcs1Encrypt(dataKey: Uint8Array): Uint8Array {
  return publicEncrypt({ key: pair.publicKey, padding: constants.RSA_PKCS1_PADDING }, dataKey)
}
