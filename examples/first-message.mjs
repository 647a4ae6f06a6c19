// The whole of waxseal in one sitting: a key management service, a key, a message, and a second opinion on it.
// Run it with `npm start`, or after a build with `node examples/first-message.mjs`.
import {
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  buildClient,
} from '@aws-crypto/client-node'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decrypt, encrypt, inspect, multiKeyring, rawAesKeyring } from 'waxseal'
import { kmsKeyring } from 'waxseal/kms'
import { localKms } from 'waxseal/kms/local'

const LOG_BYTES = 5 * 1024 * 1024
const RAW_KEY = { namespace: 'example', name: 'backup' }
const CONTEXT = { file: 'application.log', tenant: 'a' }

let step = 0
let comparisons = 0

const folder = await mkdtemp(join(tmpdir(), 'waxseal-'))
const file = (name) => join(folder, name)
try {
  await main()
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function main() {
  const log = makeLog()
  await writeFile(file('application.log'), log)
  say(`Made a log file of ${megabytes(log)} to protect, in a temporary folder.`)

  const kms = await localKms({ directory: file('kms'), rootKeyFile: file('root.key') })
  try {
    const { KeyMetadata: key } = await kms.engine.call('CreateKey', { Description: 'first message' })
    await kms.engine.call('CreateAlias', { AliasName: 'alias/demo', TargetKeyId: key.KeyId })
    say(`Started a key management service (KMS) inside this process, with one key, called alias/demo:\n${key.Arn}`)

    const backupKey = crypto.getRandomValues(new Uint8Array(32))
    const message = await encryptLog(kms.provider, backupKey, log)
    explain(message)
    await decryptThroughKms(kms.provider, log)
    await decryptWithAws(backupKey, log)
  } finally {
    await kms.close()
  }
  console.log('\nEverything matched. The README shows how to do the same from your code and from the command line.')
  console.log(`comparisons: ${comparisons} passed, 0 failed`)
}

async function encryptLog(provider, backupKey, log) {
  const keyring = multiKeyring({
    generator: kmsKeyring({ provider, generatorKeyId: 'alias/demo' }),
    children: [rawAesKeyring({ ...RAW_KEY, wrappingKey: backupKey })],
  })
  const started = performance.now()
  const message = await encrypt(keyring, log, { encryptionContext: CONTEXT })
  const milliseconds = performance.now() - started
  await writeFile(file('application.log.wax'), message)
  say(
    `Encrypted the log in ${milliseconds.toFixed(0)} ms. The message can be opened in two ways: through the KMS,\n` +
      'or with a 32-byte backup key that this program holds.',
  )
  return message
}

function explain(message) {
  const header = inspect(message)
  const keys = header.encryptedDataKeys.map(({ providerId }) => providerId).join(' and ')
  say(
    'Read the header of the message, which needs no key. It says (and so would anybody who forged it):\n' +
      `suite ${header.algorithmSuite.name}, frames of ${header.frameLength} bytes,\n` +
      `context ${JSON.stringify(header.encryptionContext)}, data key wrapped by ${keys}.`,
  )
}

async function decryptThroughKms(provider, log) {
  const message = await readFile(file('application.log.wax'))
  const { plaintext } = await decrypt(kmsKeyring({ provider, discovery: true }), message, {
    encryptionContext: CONTEXT,
  })
  assertEqual(plaintext, log, 'waxseal, through the KMS')
  say('Decrypted the file through the KMS: every byte is the same as in the log.')
}

async function decryptWithAws(backupKey, log) {
  const keyring = new RawAesKeyringNode({
    keyNamespace: RAW_KEY.namespace,
    keyName: RAW_KEY.name,
    unencryptedMasterKey: backupKey,
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  })
  const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
  const { plaintext } = await client.decrypt(keyring, await readFile(file('application.log.wax')))
  assertEqual(plaintext, log, '@aws-crypto/client-node, with the backup key')
  say("Decrypted the file once more with Amazon's own AWS Encryption SDK and the backup key: the same again.")
}

function makeLog() {
  const start = Date.UTC(2026, 0, 1)
  const lines = []
  for (let length = 0, number = 0; length < LOG_BYTES; number++) {
    const time = new Date(start + number * 137).toISOString()
    const line = `${time} request=${number} path=/orders/${(number * 7919) % 10007} status=200\n`
    lines.push(line)
    length += line.length
  }
  return new TextEncoder().encode(lines.join('')).slice(0, LOG_BYTES)
}

function assertEqual(actual, expected, who) {
  if (Buffer.compare(actual, expected) !== 0) throw new Error(`DIFFERENT: ${who} gave other bytes than were encrypted`)
  comparisons++
}

function megabytes(bytes) {
  return `${bytes.length / 1024 / 1024} MiB`
}

function say(text) {
  console.log(`${++step}. ${text.replaceAll('\n', '\n   ')}`)
}
