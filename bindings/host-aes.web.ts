import { copyBytes } from './bytes.ts'
import { HostFrames } from './host-frames.ts'
import type { FrameCipher, HostAesGcm } from './host.ts'
import type { MessageKey } from './message.ts'

const TAG_BITS = 128

/** Calls under way at a time: WebCrypto works in threads of its own, and each answer takes a while to come back. */
const LANES = 16

/** Undefined where WebCrypto takes no such key. */
export async function webFrames(messageKey: MessageKey): Promise<FrameCipher | undefined> {
  const aes = await webAesGcm(messageKey.exportKey())
  return aes && new HostFrames(messageKey, aes)
}

/** Takes over and wipes the key of 16, 24 or 32 bytes. */
async function webAesGcm(keyBytes: Uint8Array<ArrayBuffer>): Promise<HostAesGcm | undefined> {
  const key = await importKey(keyBytes)
  if (key === undefined) return undefined
  const { subtle } = globalThis.crypto
  return {
    lanes: LANES,
    async seal(iv, aad, plaintext, output) {
      const sealed = await subtle.encrypt(parameters(iv, aad), key, ofFixedLength(plaintext))
      output.set(new Uint8Array(sealed))
      return sealed.byteLength
    },
    async open(iv, aad, sealed, output) {
      try {
        const plaintext = new Uint8Array(await subtle.decrypt(parameters(iv, aad), key, ofFixedLength(sealed)))
        output.set(plaintext)
        plaintext.fill(0)
        return true
      } catch (error) {
        if ((error as Error).name !== 'OperationError') throw error
        return false
      }
    },
  }
}

/** Undefined where there is no WebCrypto (a page over plain http), or no AES-192 in it (Chromium). */
async function importKey(keyBytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey | undefined> {
  const { subtle } = globalThis.crypto as Partial<Crypto>
  try {
    return await subtle?.importKey('raw', keyBytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
  } catch {
    return undefined
  } finally {
    keyBytes.fill(0)
  }
}

/** WebCrypto of Chromium takes no view of a buffer that can be resized. */
function ofFixedLength(bytes: Uint8Array): BufferSource {
  const { resizable } = bytes.buffer as ArrayBuffer & { readonly resizable?: boolean }
  return resizable === true ? copyBytes(bytes) : (bytes as BufferSource)
}

/** The additional data as a copy: not every engine has read it when the call returns. */
function parameters(iv: Uint8Array, aad: Uint8Array): AesGcmParams {
  return { name: 'AES-GCM', iv: ofFixedLength(iv), additionalData: new Uint8Array(aad), tagLength: TAG_BITS }
}
