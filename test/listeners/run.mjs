// `npm run test:listeners`: the listeners of the packed package on Node, Deno and Bun, each used by the AWS SDK, by
// strangers and over TLS. The last line counts.
import { spawn } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { KMS } from '@aws-sdk/client-kms'
import { ensureInstalled, ensurePackage, ensureTools, root } from '../../scripts/project.mjs'
import { attempt, equal, finish } from '../runtimes/attempts.mjs'

ensureInstalled()
ensurePackage()
ensureTools('test/runtimes')
const { makeFolder } = await import('../runtimes/setup.mjs')
const { installed } = await import('../runtimes/programs.mjs')

const RUNTIMES = {
  node: [process.execPath],
  deno: [installed('deno/deno'), 'run', '--allow-read', '--allow-net', '--no-prompt'],
  bun: [installed('bun/bin/bun.exe'), 'run'],
}
const TLS = join(root, 'test/kms/server/tls')
const tls = { cert: join(TLS, 'first.cert.pem'), key: join(TLS, 'first.key.pem') }
const credentials = { accessKeyId: 'AKIDLISTENER', secretAccessKey: 'a secret of the test' }
const LONG = 'x'.repeat(1 << 21)
const CHECKS = {
  'serves the AWS SDK, and knows who sends': servesSdk,
  'refuses a body that is too long, and goes on': refusesLongBodies,
  'serves TLS, to others too': servesTls,
  'refuses an address that others can reach without TLS': refusesOpenHttp,
  'fails where the port is taken, or the certificate is none': failsToOpen,
}
const running = new Set()

const folder = await makeFolder()
cpSync(join(root, 'test/listeners/listen.mjs'), join(folder, 'listen.mjs'))
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))
for (const runtime of Object.keys(RUNTIMES)) {
  for (const [title, check] of Object.entries(CHECKS)) await attempt(`${runtime}: ${title}`, () => check(runtime))
}

finish('listeners')

async function servesSdk(runtime) {
  const { url, close } = await open(runtime, { port: 0 })
  const sdk = new KMS({ region: 'us-east-1', endpoint: url, credentials, maxAttempts: 1 })
  const { KeyId } = (await sdk.createKey({})).KeyMetadata
  const Plaintext = Buffer.from('a message')
  const sealed = await Promise.all(Array.from({ length: 32 }, () => sdk.encrypt({ KeyId, Plaintext })))
  for (const { CiphertextBlob } of sealed) {
    equal(Buffer.from((await sdk.decrypt({ CiphertextBlob })).Plaintext).equals(Plaintext), true)
  }
  equal((await fetch(`${url}/healthz`)).status, 200)
  // Only this machine is answered: the listener said who asks.
  equal((await fetch(`${url}/metrics`)).status, 200)
  const unsigned = await fetch(url, { method: 'POST', body: '{}' })
  equal((await unsigned.json()).__type, 'MissingAuthenticationTokenException')
  sdk.destroy()
  await close()
  equal(
    await fetch(`${url}/healthz`).then(
      () => 'open',
      () => 'closed',
    ),
    'closed',
  )
}

async function refusesLongBodies(runtime) {
  const { url, close } = await open(runtime, { port: 0 })
  const answer = await fetch(url, { method: 'POST', body: LONG }).catch(() => undefined)
  equal(answer === undefined || answer.status >= 400, true)
  equal((await fetch(`${url}/healthz`)).status, 200)
  await close()
}

async function servesTls(runtime) {
  const { url, close } = await open(runtime, { port: 0, host: '0.0.0.0', tls })
  equal(url.startsWith('https://0.0.0.0:'), true)
  const { port } = new URL(url)
  equal(await statusOver(port, '/healthz'), 200)
  equal(await statusOver(port, '/metrics'), 200)
  equal(
    await fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    ),
    false,
  )
  await close()
}

async function refusesOpenHttp(runtime) {
  equal((await open(runtime, { port: 0, host: '0.0.0.0' })).failure, 'RangeError')
  const { url, close } = await open(runtime, { port: 0, host: '0.0.0.0', insecureHttp: true })
  equal((await fetch(`http://127.0.0.1:${new URL(url).port}/healthz`)).status, 200)
  await close()
}

async function failsToOpen(runtime) {
  const { url, close } = await open(runtime, { port: 0 })
  equal(typeof (await open(runtime, { port: Number(new URL(url).port) })).failure, 'string')
  equal(typeof (await open(runtime, { port: 0, tls: { ...tls, cert: tls.key } })).failure, 'string')
  await close()
}

/** Starts a process that listens; answers where, with what closes it, or why it does not. */
async function open(runtime, options) {
  const [program, ...args] = RUNTIMES[runtime]
  const input = JSON.stringify({ ...options, credentials })
  const child = spawn(program, [...args, 'listen.mjs', runtime, input], { cwd: folder, stdio: 'pipe' })
  running.add(child)
  let output = ''
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text))
  const ended = new Promise((resolve) => child.once('close', resolve))
  const first = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
      if (output.includes('\n')) resolve(output.split('\n')[0])
    })
    void ended.then(() => reject(new Error(`it ended: ${output}${errors}`)))
  })
  const [word, what] = first.split(' ')
  const close = async () => {
    child.stdin.end()
    await ended
    running.delete(child)
    equal(output.trim().endsWith('closed'), true)
  }
  return word === 'open' ? { url: what, close } : { failure: what }
}

function statusOver(port, path) {
  const options = { host: '127.0.0.1', port, path, ca: readFileSync(tls.cert), servername: 'localhost' }
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, checkServerIdentity: () => undefined }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.once('error', reject).end()
  })
}
