import { decrypt, decryptStream, encrypt, encryptStream, encryptSync, WaxsealError } from 'waxseal'
import { aesGcm, sha256 } from 'waxseal/core'
import { createEngine } from 'waxseal/kms/engine'
import { passphraseKeyring } from 'waxseal/kms/passphrase'
import { memoryStore } from 'waxseal/kms/store/memory'
import { pattern } from './bytes.ts'
import { isTrue, rejects, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { staticKeyring } from './keyrings.ts'
import { group, type Case } from './runtime.ts'

const FORBIDDEN = { class: WaxsealError, code: 'ERR_WAXSEAL_WASM' }

function namesTheDirective({ message }: Error): void {
  isTrue(message.includes("'wasm-unsafe-eval'") && message.includes('script-src'), `the directive is in: ${message}`)
}

/** Where a page's policy forbids WebAssembly, every way in says so, each time anew. */
export const forbiddenCases: readonly Case[] = group('WebAssembly is forbidden', {
  'the core': () => {
    namesTheDirective(throws(() => sha256(pattern(3)), FORBIDDEN, 'sha256'))
    namesTheDirective(throws(() => aesGcm(pattern(32)).encrypt(pattern(12), pattern(3)), FORBIDDEN, 'aesGcm'))
    namesTheDirective(throws(() => sha256(pattern(3)), FORBIDDEN, 'sha256, once more'))
  },
  messages: async () => {
    const keyring = staticKeyring(pattern(32))
    const message = Uint8Array.of(2, 4, 120, ...pattern(200))
    namesTheDirective(await rejects(() => encrypt(keyring, pattern(3)), FORBIDDEN, 'encrypt'))
    namesTheDirective(await rejects(() => decrypt(keyring, message), FORBIDDEN, 'decrypt'))
    namesTheDirective(throws(() => encryptSync(keyring, pattern(3)), FORBIDDEN, 'encryptSync'))
  },
  streams: async () => {
    const keyring = staticKeyring(pattern(32))
    namesTheDirective(await rejects(() => encryptStream(keyring).size(3), FORBIDDEN, 'size'))
    const writer = decryptStream(keyring).writable.getWriter()
    writer.closed.catch(() => undefined)
    namesTheDirective(await rejects(() => writer.write(Uint8Array.of(2, 4, 120)), FORBIDDEN, 'decryptStream'))
  },
  'a passphrase keyring': () => {
    throws(() => passphraseKeyring({ passphrase: 'correct horse' }), EXPECTED.unsupported, 'passphraseKeyring')
  },
  'the key management service': async () => {
    const engine = (): Promise<unknown> => createEngine({ store: memoryStore(), rootKey: pattern(32) })
    namesTheDirective(await rejects(engine, FORBIDDEN, 'createEngine'))
  },
})
