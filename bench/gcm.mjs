import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gcm } from '@noble/ciphers/aes.js'
import { aesGcm } from 'waxseal/core'
import { bytes, sizeName } from './data.mjs'
import { aad, freshIvs, key, nodeGcm } from './node-gcm.mjs'

export const PORTABLE_OPENSSL = 'OpenSSL without AES hardware'
export const gcmGroup = (size) => `AES-256-GCM encrypt, ${sizeName(size)}`

const IN_FLIGHT = 16
// Switches AES-NI and PCLMULQDQ off, and VAES and VPCLMULQDQ; without the second part its whole word would be cleared.
const NO_AES_HARDWARE = '~0x200000200000000:~0x60000000000'

/** AES-256-GCM with the key set up beforehand and 32 bytes of AAD. */
export async function gcmGroups(sizes) {
  const cryptoKey = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt'])
  const portable = await portableOpenssl()
  return sizes.map((size) => {
    const plaintext = bytes(size)
    const cipher = aesGcm(key)
    const [coreIv, subtleIv, nobleIv] = [freshIvs(), freshIvs(), freshIvs()]
    const seal = () =>
      crypto.subtle.encrypt({ name: 'AES-GCM', iv: subtleIv(), additionalData: aad }, cryptoKey, plaintext)
    const cases = [
      { name: 'waxseal/core', run: () => cipher.encrypt(coreIv(), plaintext, aad) },
      { name: 'node:crypto', run: nodeGcm(plaintext) },
      {
        name: `WebCrypto, ${IN_FLIGHT} in flight`,
        run: () => Promise.all(Array.from({ length: IN_FLIGHT }, seal)),
        perRun: IN_FLIGHT,
      },
      { name: '@noble/ciphers', run: () => gcm(key, nobleIv(), aad).encrypt(plaintext) },
    ]
    return { name: gcmGroup(size), cases, ...(portable && { child: () => portable(size) }) }
  })
}

/** OpenSSL reads the variable when it starts, so that peer has a process of its own; x86-64 only. */
async function portableOpenssl() {
  if (process.arch !== 'x64') return undefined
  const program = fileURLToPath(new URL('openssl-portable.mjs', import.meta.url))
  const env = { ...process.env, OPENSSL_ia32cap: NO_AES_HARDWARE }
  return async (size) => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, String(size)], { env })
    return { [PORTABLE_OPENSSL]: Number(stdout.trim().split('\n').at(-1)) }
  }
}
