// An HTTP server that keeps notes, each encrypted under a key of a KMS in the same process.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { decrypt, encrypt } from 'waxseal'
import { kmsKeyring } from 'waxseal/kms'
import { localKms } from 'waxseal/kms/local'

const PORT = 8301
const MAX_NOTE_BYTES = 1024 * 1024
const ALIAS = 'alias/notes'
const NOTES = join(import.meta.dirname, 'data/notes')

// The root key belongs elsewhere than the database and the notes: a mounted secret, say.
const kms = await localKms({
  directory: join(import.meta.dirname, 'data/kms'),
  rootKeyFile: process.env.ROOT_KEY_FILE ?? join(import.meta.dirname, 'data/root.key'),
})
await ensureKey()
await mkdir(NOTES, { recursive: true })
const keyring = kmsKeyring({ provider: kms.provider, generatorKeyId: ALIAS })
const reader = kmsKeyring({ provider: kms.provider, discovery: true })

const server = createServer((request, response) => {
  answer(request).then(
    ({ status = 200, body = '' }) => response.writeHead(status).end(body),
    (error) => {
      // What is wrong with a note is nobody's business but ours.
      console.error(error)
      response.writeHead(500).end()
    },
  )
})
server.listen(PORT, '127.0.0.1', () => console.log(`Listening on http://127.0.0.1:${PORT}`))

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    server.close(() => void kms.close())
    server.closeIdleConnections()
  })

async function answer(request) {
  const name = /^\/notes\/([\w-]{1,64})$/.exec(request.url)?.[1]
  if (name === undefined) return { status: 404 }
  if (request.method === 'GET') return read(name)
  if (request.method !== 'PUT') return { status: 405 }
  const note = await bodyOf(request)
  if (note === undefined) return { status: 413 }
  // The context ties the message to its name: a file that is given another's name does not decrypt.
  await writeFile(fileOf(name), await encrypt(keyring, note, { encryptionContext: { note: name } }))
  return { status: 204 }
}

async function read(name) {
  let message
  try {
    message = await readFile(fileOf(name))
  } catch (error) {
    if (error.code === 'ENOENT') return { status: 404 }
    throw error
  }
  const { plaintext } = await decrypt(reader, message, { encryptionContext: { note: name } })
  return { body: plaintext }
}

function fileOf(name) {
  return join(NOTES, `${name}.wax`)
}

async function bodyOf(request) {
  const chunks = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > MAX_NOTE_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function ensureKey() {
  try {
    await kms.engine.call('DescribeKey', { KeyId: ALIAS })
  } catch (error) {
    if (error.name !== 'NotFoundException') throw error
    const { KeyMetadata } = await kms.engine.call('CreateKey', { Description: 'notes' })
    await kms.engine.call('CreateAlias', { AliasName: ALIAS, TargetKeyId: KeyMetadata.KeyId })
  }
}
