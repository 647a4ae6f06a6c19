// Encrypts and decrypts a file with a key from the environment: deno run … file.mjs encrypt|decrypt INPUT OUTPUT
import { decrypt, encrypt, rawAesKeyring, WaxsealError } from 'waxseal'

const CONTEXT = { purpose: 'backup' }

const [command, input, output] = Deno.args
if (!['encrypt', 'decrypt'].includes(command) || output === undefined) {
  console.error('usage: file.mjs encrypt|decrypt INPUT OUTPUT')
  Deno.exit(2)
}

const wrappingKey = Uint8Array.fromBase64(Deno.env.get('WRAPPING_KEY') ?? '')
const keyring = rawAesKeyring({ namespace: 'example', name: 'backup', wrappingKey })
try {
  const bytes = await Deno.readFile(input)
  const result =
    command === 'encrypt'
      ? await encrypt(keyring, bytes, { encryptionContext: CONTEXT })
      : (await decrypt(keyring, bytes, { encryptionContext: CONTEXT })).plaintext
  await Deno.writeFile(output, result)
} catch (error) {
  if (!(error instanceof WaxsealError)) throw error
  console.error(`${input}: ${error.message}`)
  Deno.exit(1)
}
