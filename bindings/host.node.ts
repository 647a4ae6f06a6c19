import { createCipheriv, createDecipheriv, createSecretKey, type CipherGCMTypes } from 'node:crypto'
import { HostFrames } from './host-frames.ts'
import { HOST_SPEEDS, type Host, type HostAesGcm } from './host.ts'

const TAG_BYTES = 16

/** Text of one call: OpenSSL's part of it stays in the cache, and memory does not grow with the frame. */
const WINDOW_BYTES = 0x40000

/** Node's AES-GCM: OpenSSL, at once; Bun's is BoringSSL. */
export const host: Host = {
  isSynchronous: true,
  maxTextBytes: Infinity,
  get speed() {
    return process.versions.bun === undefined ? HOST_SPEEDS.node : HOST_SPEEDS.bun
  },
  frames: (key) => new HostFrames(key, nodeAesGcm(key.exportKey())),
}

/** Takes over and wipes the key of 16, 24 or 32 bytes. */
function nodeAesGcm(keyBytes: Uint8Array<ArrayBuffer>): HostAesGcm {
  const name: CipherGCMTypes = `aes-${(keyBytes.length * 8) as 128 | 192 | 256}-gcm`
  // A KeyObject: raw bytes would be made one at every call.
  const key = createSecretKey(keyBytes)
  keyBytes.fill(0)
  return {
    lanes: 1,
    seal(iv, aad, plaintext, output) {
      const cipher = createCipheriv(name, key, iv)
      cipher.setAAD(aad)
      for (let at = 0; at < plaintext.length; at += WINDOW_BYTES) {
        output.set(cipher.update(windowAt(plaintext, at)), at)
      }
      cipher.final()
      output.set(cipher.getAuthTag(), plaintext.length)
      return plaintext.length + TAG_BYTES
    },
    open(iv, aad, sealed, output) {
      const length = sealed.length - TAG_BYTES
      const text = sealed.subarray(0, length)
      const decipher = createDecipheriv(name, key, iv, { authTagLength: TAG_BYTES })
      decipher.setAAD(aad)
      decipher.setAuthTag(sealed.subarray(length))
      for (let at = 0; at < length; at += WINDOW_BYTES) {
        const plaintext = decipher.update(windowAt(text, at))
        output.set(plaintext, at)
        plaintext.fill(0)
      }
      try {
        decipher.final()
        return true
      } catch {
        return false
      }
    },
  }
}

function windowAt(text: Uint8Array, at: number): Uint8Array {
  return text.length <= WINDOW_BYTES ? text : text.subarray(at, at + WINDOW_BYTES)
}
