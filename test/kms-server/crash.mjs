// `npm run test:kms-crash`: kills a server twenty times with SIGKILL in a storm of CreateKey, GenerateDataKey and
// RotateKeyOnDemand. What a client got an answer for must be there when the server runs again: keys, rotations, what the
// ciphertexts hold, and a record in an audit log that verifies.
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { ensureInstalled, ensurePackage } from '../../scripts/project.mjs'
import { Checks, client, newHome, REGION, serve } from './serve.mjs'

const ROUNDS = Number(process.argv[2] ?? 20)
/** Clients that make keys and data keys, and clients that rotate. */
const MAKERS = 6
const ROTATORS = 2
/** What AWS KMS allows for one key. */
const MAX_ROTATIONS = 25

ensureInstalled()
ensurePackage()
const { localKms } = await import('waxseal/kms/local')

const home = newHome()
const checks = new Checks()
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** What clients got answers for, of all rounds. */
const keys = new Set()
const rotations = new Map()
const attempts = new Map()
const dataKeys = []
const requestIds = new Set()
let records = 0

try {
  for (let round = 1; round <= ROUNDS; round++) {
    const before = { keys: keys.size, dataKeys: dataKeys.length, rotations: sum(rotations) }
    const server = await serve(home)
    // In another place each time.
    const died = await storm(server, { answers: 60 + ((round * 37) % 100), milliseconds: (round * 7) % 20 })
    checks.check(died === 'SIGKILL', `round ${round}: killed after ${counted(before)}`)
    await verify(round, before)
  }
  await verify('in the end', { dataKeys: 0 })
  checks.check(keys.size > ROUNDS && sum(rotations) > ROUNDS && dataKeys.length > ROUNDS, 'the storm was one')
} finally {
  rmSync(home.folder, { recursive: true, force: true })
}
checks.end('kms-crash')

function sum(counts) {
  return [...counts.values()].reduce((total, count) => total + count, 0)
}

function counted(before) {
  const made = keys.size - before.keys
  return `${made} keys, ${dataKeys.length - before.dataKeys} data keys, ${sum(rotations) - before.rotations} rotations`
}

/** Calls until the server is dead, which it is so many answers, and then so many milliseconds, after the beginning. */
async function storm(server, { answers, milliseconds }) {
  const end = requestIds.size + answers
  let died
  const killWhenDue = () => {
    if (died || requestIds.size < end) return
    died = new Promise((resolve) => setTimeout(() => resolve(server.end('SIGKILL')), milliseconds))
  }
  const run = async (work) => {
    const kms = client(server.url)
    try {
      for (let i = 0; ; i++) {
        await work(kms, i)
        killWhenDue()
      }
    } catch (error) {
      // A server that nobody kills must answer.
      if (!died) throw error
    } finally {
      kms.destroy()
    }
  }
  await Promise.all([
    ...Array.from({ length: MAKERS }, () => run(makeDataKey)),
    ...Array.from({ length: ROTATORS }, () => run(rotating())),
  ])
  return died
}

async function createKey(kms) {
  const { KeyMetadata, $metadata } = await kms.createKey({})
  keys.add(KeyMetadata.KeyId)
  requestIds.add($metadata.requestId)
  return KeyMetadata.KeyId
}

/** One new key for four data keys, under keys of this round and of those before. */
async function makeDataKey(kms, i) {
  if (i % 5 === 0 || keys.size === 0) return createKey(kms)
  const all = [...keys]
  const KeyId = all[(i * 31 + dataKeys.length) % all.length]
  const { Plaintext, CiphertextBlob, $metadata } = await kms.generateDataKey({ KeyId, KeySpec: 'AES_256' })
  dataKeys.push({ CiphertextBlob, digest: digest(Plaintext) })
  requestIds.add($metadata.requestId)
}

/** Rotates a key as often as it goes, then another one, each rotation with a data key under the new material. */
function rotating() {
  let KeyId
  return async (kms, i) => {
    if (i % MAX_ROTATIONS === 0) KeyId = await createKey(kms)
    attempts.set(KeyId, (attempts.get(KeyId) ?? 0) + 1)
    const { $metadata } = await kms.rotateKeyOnDemand({ KeyId })
    rotations.set(KeyId, (rotations.get(KeyId) ?? 0) + 1)
    requestIds.add($metadata.requestId)
    const made = await kms.generateDataKey({ KeyId, KeySpec: 'AES_256' })
    dataKeys.push({ CiphertextBlob: made.CiphertextBlob, digest: digest(made.Plaintext) })
    requestIds.add(made.$metadata.requestId)
  }
}

/** Starts the server again, asks it for everything, ends it in order, and reads the log. */
async function verify(round, before) {
  const server = await serve(home)
  const kms = client(server.url)
  const found = new Set()
  for (let Marker; ;) {
    const page = await kms.listKeys({ Limit: 1000, Marker })
    for (const { KeyId } of page.Keys) found.add(KeyId)
    if (!page.Truncated) break
    Marker = page.NextMarker
  }
  checks.check(
    [...keys].every((id) => found.has(id)),
    `${title(round)}: all ${keys.size} keys are there`,
  )
  checks.check(await hasRotations(kms), `${title(round)}: all ${sum(rotations)} rotations are there, none twice`)
  const some = dataKeys.slice(before.dataKeys)
  const opened = await Promise.all(
    some.map(async ({ CiphertextBlob }) => digest((await kms.decrypt({ CiphertextBlob })).Plaintext)),
  )
  checks.check(
    opened.every((one, i) => one === some[i].digest),
    `${title(round)}: all ${some.length} ciphertexts decrypt`,
  )
  kms.destroy()
  checks.check((await server.end('SIGTERM')) === 0, `${title(round)}: the server ends in order`)
  await verifyLog(round)
}

async function hasRotations(kms) {
  for (const [KeyId, count] of rotations) {
    const { Rotations } = await kms.listKeyRotations({ KeyId, Limit: 1000 })
    // One whose answer the kill took may be there as well.
    if (Rotations.length < count || Rotations.length > attempts.get(KeyId)) return false
  }
  return true
}

async function verifyLog(round) {
  const { engine, close } = await localKms({ ...home, region: REGION, create: false })
  const head = await engine.audit.verify()
  const seen = new Set()
  for (let after = 0; after < head.records;) {
    const entries = await engine.audit.list({ after })
    for (const { record } of entries) seen.add(record.requestID)
    after = entries.at(-1).number
  }
  await close()
  checks.check(
    head.records > records && [...requestIds].every((id) => seen.has(id)),
    `${title(round)}: the log of ${head.records} records verifies and has all ${requestIds.size} calls`,
  )
  records = head.records
}

function title(round) {
  return typeof round === 'number' ? `round ${round}` : round
}
