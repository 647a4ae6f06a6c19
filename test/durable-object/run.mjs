// `npm run test:durable-object`: the engine and the server of the packed package in a Durable Object of workerd, on its
// SQLite storage, used by the AWS SDK; and again after workerd was killed. The last line counts.
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KMS } from '@aws-sdk/client-kms'
import { ensureInstalled, ensurePackage, ensureTools, root } from '../../scripts/project.mjs'
import { attempt, equal, finish } from '../runtimes/attempts.mjs'

ensureInstalled()
ensurePackage()
ensureTools('test/runtimes')
const { makeFolder, require } = await import('../runtimes/setup.mjs')
const { freePort, start } = await import('../runtimes/processes.mjs')
const { workerd } = await import('../runtimes/workers.mjs')

const ROOT_KEY = randomBytes(32)
const SECRET = randomBytes(20).toString('hex')
const MESSAGE = Buffer.from('a message')
const folder = await makeFolder()
const cwd = await makeObject(folder)

let server = await serve()
let sdk = client()
const made = {}

await checked('the store keeps, lists, undoes and refuses', async () => {
  const answer = await fetch(`${server.url}/test/store`)
  equal(await answer.text(), 'ok')
})

await checked('makes and names a key, and encrypts under it', async () => {
  const { KeyMetadata } = await sdk.createKey({ Description: 'in a Durable Object' })
  made.arn = KeyMetadata.Arn
  await sdk.createAlias({ AliasName: 'alias/edge', TargetKeyId: made.arn })
  const { CiphertextBlob } = await sdk.encrypt({ KeyId: 'alias/edge', Plaintext: MESSAGE })
  made.ciphertext = CiphertextBlob
  await decrypts()
})

for (const [KeySpec, SigningAlgorithm, hash] of [
  ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', 'sha256'],
  ['ECC_NIST_P384', 'ECDSA_SHA_384', 'sha384'],
  ['ECC_SECG_P256K1', 'ECDSA_SHA_256', 'sha256'],
]) {
  await checked(`signs messages and digests with ${KeySpec}`, async () => {
    const { KeyId } = (await sdk.createKey({ KeySpec, KeyUsage: 'SIGN_VERIFY' })).KeyMetadata
    const { PublicKey } = await sdk.getPublicKey({ KeyId })
    const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' })
    const digest = createHash(hash).update(MESSAGE).digest()
    for (const [MessageType, Message] of Object.entries({ RAW: MESSAGE, DIGEST: digest })) {
      const { Signature } = await sdk.sign({ KeyId, SigningAlgorithm, MessageType, Message })
      equal(verify(hash, MESSAGE, key, Signature), true)
    }
  })
}

await checked('refuses a request that is signed with another secret', async () => {
  const other = client({ secretAccessKey: 'another' })
  equal(await nameOf(other.listKeys({})), 'InvalidSignatureException')
})

await checked('keeps everything that it has acknowledged when workerd is killed', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, async () => (await sdk.createKey({})).KeyMetadata.KeyId))
  await restart()
  await decrypts()
  for (const KeyId of ids) equal((await sdk.describeKey({ KeyId })).KeyMetadata.KeyState, 'Enabled')
})

await checked('has an audit chain that verifies', async () => {
  const answer = await fetch(`${server.url}/test/audit`)
  equal(answer.status, 200)
  const { records } = await answer.json()
  equal(records > 20, true)
})

await checked('holds nothing secret in the clear', async () => {
  const files = readdirSync(join(cwd, 'data'), { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
  const bytes = Buffer.concat(files.map(({ parentPath, path, name }) => readFileSync(join(parentPath ?? path, name))))
  equal(bytes.includes('waxseal_row'), true)
  for (const secret of [ROOT_KEY, ROOT_KEY.toString('hex'), ROOT_KEY.toString('base64'), SECRET]) {
    equal(bytes.includes(secret), false)
  }
})

await checked('refuses a row that was changed', async () => {
  const sql = `UPDATE waxseal_row SET body = replace(body, '"Enabled"', '"Disabled"') WHERE "table" = 'key'`
  const { rowsWritten } = await (await fetch(`${server.url}/test/change?sql=${encodeURIComponent(sql)}`)).json()
  equal(rowsWritten > 0, true)
  equal(await nameOf(sdk.describeKey({ KeyId: made.arn })), 'KMSInternalException')
})

server.stop()
finish('durable-object')

/** The worker as one file, the core beside it, and workerd's configuration. */
async function makeObject(folder) {
  const outdir = join(folder, 'durable-object')
  await require('esbuild').build({
    stdin: { contents: readFileSync(join(root, 'test/durable-object/worker.mjs'), 'utf8'), resolveDir: folder },
    outfile: join(outdir, 'worker.js'),
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:workers'],
    loader: { '.wasm': 'copy' },
    assetNames: '[name]',
  })
  mkdirSync(join(outdir, 'data'))
  const namespace = (name) => `(className = "${name}", uniqueKey = "${name}", enableSql = true)`
  writeFileSync(
    join(outdir, 'workerd.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed "worker.js"), (name = "./core.wasm", wasm = embed "core.wasm")],
      compatibilityDate = "2026-07-01",
      durableObjectNamespaces = [${namespace('Kms')}, ${namespace('StoreTest')}],
      durableObjectStorage = (localDisk = "disk"),
      bindings = [
        (name = "KMS", durableObjectNamespace = "Kms"),
        (name = "STORE", durableObjectNamespace = "StoreTest"),
        (name = "ROOT_KEY", text = "${ROOT_KEY.toString('base64')}"),
        (name = "SECRET", text = "${SECRET}"),
      ],
    )),
    (name = "disk", disk = (path = "data", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`,
  )
  return outdir
}

async function serve() {
  const address = `127.0.0.1:${await freePort()}`
  const url = `http://${address}`
  const running = start(workerd, ['serve', 'workerd.capnp', `--socket-addr=http=${address}`], { cwd })
  for (;;) {
    const isUp = await fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return { ...running, url }
    if (running.hasEnded()) throw new Error(running.output())
    await new Promise((resume) => setTimeout(resume, 20))
  }
}

function client(credentials = {}) {
  const { url: endpoint } = server
  const key = { accessKeyId: 'AKIDOBJECT', secretAccessKey: SECRET, ...credentials }
  return new KMS({ region: 'us-east-1', endpoint, credentials: key, maxAttempts: 1 })
}

/** Ends workerd at once, in whatever it does, and starts it anew on the same data. */
async function restart() {
  server.stop()
  while (!server.hasEnded()) await new Promise((resume) => setTimeout(resume, 5))
  server = await serve()
  sdk = client()
}

function checked(title, act) {
  return attempt(title, act, () => server.output())
}

async function decrypts() {
  const { Plaintext, KeyId } = await sdk.decrypt({ CiphertextBlob: made.ciphertext })
  equal(Buffer.from(Plaintext).equals(MESSAGE), true)
  equal(KeyId, made.arn)
}

async function nameOf(promise) {
  return promise.then(
    () => 'nothing was refused',
    ({ name }) => name,
  )
}
