// Encrypts and decrypts a file with a key from the environment: bun file.mjs encrypt|decrypt INPUT OUTPUT
import { decrypt, encrypt, rawAesKeyring, WaxsealError } from 'waxseal'

const CONTEXT = { purpose: 'backup' }

const [command, input, output] = Bun.argv.slice(2)
if (!['encrypt', 'decrypt'].includes(command) || output === undefined) {
  console.error('usage: file.mjs encrypt|decrypt INPUT OUTPUT')
  process.exit(2)
}

const wrappingKey = Uint8Array.fromBase64(Bun.env.WRAPPING_KEY ?? '')
const keyring = rawAesKeyring({ namespace: 'example', name: 'backup', wrappingKey })
try {
  const bytes = await Bun.file(input).bytes()
  const result =
    command === 'encrypt'
      ? await encrypt(keyring, bytes, { encryptionContext: CONTEXT })
      : (await decrypt(keyring, bytes, { encryptionContext: CONTEXT })).plaintext
  await Bun.write(output, result)
} catch (error) {
  if (!(error instanceof WaxsealError)) throw error
  console.error(`${input}: ${error.message}`)
  process.exit(1)
}
