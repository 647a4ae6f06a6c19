// Encrypts and decrypts a plaintext that is generated as it goes and stored nowhere, and prints what that took as JSON.
// Arguments: its mebibytes, the frame length.
import { createHash } from 'node:crypto'
import { decryptStream, encryptStream, rawAesKeyring } from 'waxseal'
import { generate } from './plaintext.mjs'

const [mebibytes, frameLength] = process.argv.slice(2).map(Number)
const keyring = rawAesKeyring({ namespace: 'test', name: 'memory', wrappingKey: new Uint8Array(32).fill(1) })

const { source, digest } = generate(mebibytes)
const opened = createHash('sha256')
let bytes = 0
const plaintext = source.pipeThrough(encryptStream(keyring, { frameLength })).pipeThrough(decryptStream(keyring))
for await (const chunk of plaintext) {
  opened.update(chunk)
  bytes += chunk.length
}
const isSame = digest.digest('hex') === opened.digest('hex')
console.log(JSON.stringify({ bytes, isSame, peakKibibytes: process.resourceUsage().maxRSS }))
