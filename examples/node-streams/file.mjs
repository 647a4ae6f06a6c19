// Encrypts and decrypts files of any size in constant memory: node file.mjs encrypt|decrypt INPUT OUTPUT
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { decryptStream, encryptStream, rawAesKeyring, WaxsealError } from 'waxseal'

const CONTEXT = { purpose: 'backup' }

const [command, input, output] = process.argv.slice(2)
if (!['encrypt', 'decrypt'].includes(command) || output === undefined) {
  console.error('usage: file.mjs encrypt|decrypt INPUT OUTPUT')
  process.exit(2)
}

const wrappingKey = Buffer.from(process.env.WRAPPING_KEY ?? '', 'base64')
const keyring = rawAesKeyring({ namespace: 'example', name: 'backup', wrappingKey })
const interruption = new AbortController()
process.once('SIGINT', () => interruption.abort(new Error('interrupted')))
const options = { encryptionContext: CONTEXT, signal: interruption.signal }
const stream = command === 'encrypt' ? encryptStream(keyring, options) : decryptStream(keyring, options)

// Only the end of the stream tells that a message is whole: until then the output has another name.
const unfinished = `${output}.${process.pid}.part`
try {
  const bytes = Readable.toWeb(createReadStream(input)).pipeThrough(stream)
  await pipeline(Readable.fromWeb(bytes), createWriteStream(unfinished, { flags: 'wx', mode: 0o600 }))
  await rename(unfinished, output)
} catch (error) {
  console.error(`${input}: ${error.message}`)
  process.exitCode = error instanceof WaxsealError ? 3 : 1
} finally {
  await rm(unfinished, { force: true })
}
