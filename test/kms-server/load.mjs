// `npm run test:kms-load [-- SECONDS]`: 64 AWS SDK clients call GenerateDataKey of one server for a minute. No call fails,
// each has its record in an audit log that verifies, and the server's memory does not grow. Then what the benchmark
// prints: the throughput of the engine in process, of the `fetch` handler, and of SDK clients over loopback.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureInstalled, ensurePackage, root } from '../../scripts/project.mjs'
import { Checks, client, newHome, REGION, serve } from './serve.mjs'

const SECONDS = Number(process.argv[2] ?? 60)
const CLIENTS = 64
/** What a server may hold more at the end than after the first third: it has 64 requests in its hands each time. */
const MAX_GROWTH_MEBIBYTES = 8

ensureInstalled()
ensurePackage()
const { localKms } = await import('waxseal/kms/local')

const home = newHome()
const checks = new Checks()
const requestIds = new Set()
const errors = []

try {
  const server = await serve(home, ['--expose-gc', '--import', join(root, 'test/kms-server/memory.mjs')])
  const clients = Array.from({ length: CLIENTS }, () => client(server.url))
  const { KeyMetadata } = await clients[0].createKey({})
  // The first call of a client costs it more than a hundred others.
  await Promise.all(clients.map((kms) => callUntil(0, kms, KeyMetadata.KeyId)))
  const started = performance.now()
  const end = started + SECONDS * 1000
  const calling = clients.map((kms) => callUntil(end, kms, KeyMetadata.KeyId))
  await sleep((SECONDS * 1000) / 3)
  const early = await memoryOf(server)
  await sleep(end - performance.now() - 500)
  const late = await memoryOf(server)
  const calls = await Promise.all(calling)
  const rate = (calls.reduce((sum, count) => sum + count) * 1000) / (performance.now() - started)
  for (const kms of clients) kms.destroy()

  console.log(`${CLIENTS} SDK clients, ${SECONDS} s: ${requestIds.size} calls, ${Math.round(rate)} a second`)
  checks.check(errors.length === 0, `no call fails${errors.length > 0 ? `: ${errors[0]}` : ''}`)
  checks.check(Math.min(...calls) > 1, 'every client is served')
  const growth = (late.used - early.used) / 2 ** 20
  const peak = `; resident ${mebibytes(early.rss)}, then ${mebibytes(late.rss)} MiB`
  checks.check(growth < MAX_GROWTH_MEBIBYTES, `memory in use grows by ${growth.toFixed(1)} MiB${peak}`)
  checks.check((await server.end('SIGTERM')) === 0, 'the server ends in order')
  await verifyLog()
} finally {
  rmSync(home.folder, { recursive: true, force: true })
}

// Where the time goes, on this machine.
const bench = spawnSync(process.execPath, [join(root, 'bench/kms.mjs'), '5'], { cwd: root, encoding: 'utf8' })
console.log(`\n${bench.stdout}${bench.stderr}`)
const rates = bench.stdout.match(/[\d,]+ a second/g) ?? []
checks.check(bench.status === 0 && rates.length === 3, 'three throughputs are printed')
checks.end('kms-load')

async function callUntil(end, kms, KeyId) {
  let calls = 0
  do {
    try {
      const { $metadata } = await kms.generateDataKey({ KeyId, KeySpec: 'AES_256' })
      requestIds.add($metadata.requestId)
      calls++
    } catch (error) {
      errors.push(`${error.name}: ${error.message}`)
    }
  } while (performance.now() < end)
  return calls
}

async function memoryOf({ child }) {
  const answer = once(child, 'message')
  child.send('memory')
  return (await answer)[0]
}

async function verifyLog() {
  const { engine, close } = await localKms({ ...home, region: REGION, create: false })
  const head = await engine.audit.verify()
  const missing = new Set(requestIds)
  let count = 0
  for (let after = 0; after < head.records;) {
    const entries = await engine.audit.list({ after })
    for (const { record } of entries) {
      if (record.eventName === 'GenerateDataKey') count++
      missing.delete(record.requestID)
    }
    after = entries.at(-1).number
  }
  await close()
  checks.check(
    missing.size === 0 && count === requestIds.size,
    `the log of ${head.records} records verifies and has each of ${requestIds.size} calls once`,
  )
}

function mebibytes(bytes) {
  return (bytes / 2 ** 20).toFixed(0)
}
