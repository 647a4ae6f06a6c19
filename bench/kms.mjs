// `node bench/kms.mjs [SECONDS]`: GenerateDataKey with a durable audit record, from 64 callers at once: of the engine in
// this process, of the fetch handler with signed requests, and of AWS SDK clients in another process over loopback. Then
// what the parts of one request take by themselves. Beside each stands the processor time of this process for one call,
// which says more than the clock where the machine has other work.
import { spawn } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensurePackage } from '../scripts/project.mjs'

const CALLERS = 64
const SECONDS = Number(process.argv[2] ?? 5)
const REGION = 'us-east-1'
const CREDENTIALS = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'a secret of the benchmark' }
const SDK_CLIENTS = fileURLToPath(new URL('kms-clients.mjs', import.meta.url))

ensurePackage()
const { createEngine } = await import('waxseal/kms/engine')
const { sqliteStore } = await import('waxseal/kms/store/sqlite')
const { createKmsServer, rootCredential } = await import('waxseal/kms/server')
const { listen } = await import('waxseal/kms/server/node')

const folder = mkdtempSync(join(tmpdir(), 'waxseal-bench-'))
const store = await sqliteStore({ file: join(folder, 'kms.sqlite') })
const engine = await createEngine({ store, rootKey: crypto.getRandomValues(new Uint8Array(32)), region: REGION })
const server = createKmsServer({ engine, credentials: rootCredential(CREDENTIALS) })
const { KeyMetadata } = await engine.call('CreateKey', {})
const input = { KeyId: KeyMetadata.KeyId, KeySpec: 'AES_256' }
const body = JSON.stringify(input)

try {
  console.log(`GenerateDataKey, ${CALLERS} callers, ${SECONDS} s each, Node ${process.versions.node}`)
  const inProcess = await throughput(() => engine.call('GenerateDataKey', input))
  report('engine in process', inProcess)
  const headers = signedHeaders()
  const handler = await throughput(async () => {
    const response = await server.fetch(new Request('http://127.0.0.1/', { method: 'POST', headers, body }))
    if (response.status !== 200) throw new Error(await response.text())
    await response.text()
  })
  report('fetch handler, signed requests', handler)
  report('SDK clients over loopback, the server', await sdkThroughput())

  console.log('\nWhere the time goes, one after the other, in microseconds of processor:')
  // A request that is refused at its signature costs everything up to there.
  const forged = {
    ...headers,
    authorization: headers.authorization.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
  }
  const make = (all) => new Request('http://127.0.0.1/', { method: 'POST', headers: all, body })
  part(
    'making a Request and a Response',
    await single(async () => void (make(headers), await new Response(body).text())),
  )
  const refusal = await single(async () => void (await (await server.fetch(make(forged))).text()))
  part('the same, and the handler to a refused signature', refusal)
  part('the whole handler', await single(async () => void (await (await server.fetch(make(headers))).text())))
  part('the engine alone', await single(() => engine.call('GenerateDataKey', input)))
} finally {
  await engine.close()
  rmSync(folder, { recursive: true, force: true })
}

/** Calls a second of all callers together, and processor microseconds of one. */
async function throughput(call) {
  await Promise.all(Array.from({ length: CALLERS }, call))
  const cpu = process.cpuUsage()
  const started = performance.now()
  const end = started + SECONDS * 1000
  let calls = 0
  const caller = async () => {
    while (performance.now() < end) {
      await call()
      calls += 1
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return { rate: (calls * 1000) / (performance.now() - started), cpu: processorTime(cpu) / calls }
}

/** Processor microseconds of this process since then. */
function processorTime(since) {
  const { user, system } = process.cpuUsage(since)
  return user + system
}

/** Processor microseconds of one call after the other. */
async function single(call) {
  for (let i = 0; i < 200; i++) await call()
  const calls = 1000
  const cpu = process.cpuUsage()
  for (let i = 0; i < calls; i++) await call()
  return processorTime(cpu) / calls
}

async function sdkThroughput() {
  const listener = await listen({ server, port: 0 })
  const args = [SDK_CLIENTS, listener.url, REGION, KeyMetadata.KeyId, String(CALLERS), String(SECONDS)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const cpu = process.cpuUsage()
  child.stdin.end(JSON.stringify(CREDENTIALS))
  let output = ''
  for await (const chunk of child.stdout) output += chunk
  await listener.close()
  const { rate, calls } = JSON.parse(output)
  return { rate, cpu: processorTime(cpu) / calls }
}

function report(name, { rate, cpu }) {
  const perSecond = Math.round(rate).toLocaleString('en-US').padStart(9)
  console.log(`  ${name.padEnd(40)}${perSecond} a second ${cpu.toFixed(0).padStart(9)} µs of processor`)
}

function part(name, microseconds) {
  console.log(`  ${name.padEnd(52)}${microseconds.toFixed(0).padStart(7)}`)
}

/** One signature serves for five minutes, so that the signing of the client is not measured. */
function signedHeaders() {
  const time = new Date().toISOString().replace(/[:-]|\.\d{3}/g, '')
  const scope = `${time.slice(0, 8)}/${REGION}/kms/aws4_request`
  const target = 'TrentService.GenerateDataKey'
  const sha256 = (text) => createHash('sha256').update(text).digest('hex')
  const hmac = (key, text) => createHmac('sha256', key).update(text).digest()
  const names = 'host;x-amz-date;x-amz-target'
  const lines = `host:127.0.0.1\nx-amz-date:${time}\nx-amz-target:${target}\n`
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(`POST\n/\n\n${lines}\n${names}\n${sha256(body)}`)}`
  const key = scope.split('/').reduce(hmac, `AWS4${CREDENTIALS.secretAccessKey}`)
  const credential = `Credential=${CREDENTIALS.accessKeyId}/${scope}`
  const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${hmac(key, toSign).toString('hex')}`
  return { 'x-amz-date': time, 'x-amz-target': target, authorization }
}
