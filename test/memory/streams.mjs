// Encrypts and decrypts a plaintext that is generated as it goes and stored nowhere, and prints what that took as JSON.
// Arguments: its mebibytes, the frame length.
import { createHash } from 'node:crypto'
import { decryptStream, encryptStream, rawAesKeyring } from 'waxseal'

const CHUNK_BYTES = 65_536

const [mebibytes, frameLength] = process.argv.slice(2).map(Number)
const keyring = rawAesKeyring({ namespace: 'test', name: 'memory', wrappingKey: new Uint8Array(32).fill(1) })

/** Chunks that differ, and their digest. */
function generate() {
  const digest = createHash('sha256')
  let left = (mebibytes * 2 ** 20) / CHUNK_BYTES
  const source = new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close()
      const chunk = new Uint8Array(CHUNK_BYTES)
      new DataView(chunk.buffer).setUint32(0, left--)
      digest.update(chunk)
      controller.enqueue(chunk)
    },
  })
  return { source, digest }
}

const { source, digest } = generate()
const opened = createHash('sha256')
let bytes = 0
const plaintext = source.pipeThrough(encryptStream(keyring, { frameLength })).pipeThrough(decryptStream(keyring))
for await (const chunk of plaintext) {
  opened.update(chunk)
  bytes += chunk.length
}
const isSame = digest.digest('hex') === opened.digest('hex')
console.log(JSON.stringify({ bytes, isSame, peakKibibytes: process.resourceUsage().maxRSS }))
