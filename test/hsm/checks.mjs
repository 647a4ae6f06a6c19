// Run by run.mjs, which makes the tokens. Each check is a line.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { KMS } from '@aws-sdk/client-kms'
import graphene from 'graphene-pk11'
import { createEngine } from 'waxseal/kms/engine'
import { pkcs11Cluster } from 'waxseal/kms/pkcs11'
import { memoryStore } from 'waxseal/kms/store/memory'

const { HSM_LIBRARY: library, HSM_FOLDER: folder } = process.env
const PIN = 'a PIN of eight'
const CLUSTER = 'cluster-234567abcde'
const ANCHOR = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const pin = Buffer.from(PIN)
const request = { operation: 'Encrypt', requestId: 'r', principalArn: 'arn:aws:iam::000000000000:root' }
const plaintext = new TextEncoder().encode('a secret plaintext')
const aad = new TextEncoder().encode('what is authenticated')
const cluster = pkcs11Cluster({ library, token: 'waxseal', maxSessions: 4 })
const store = cluster.keyStore(pin)

await check('finds a token by its label, and says what is missing', async () => {
  await cluster.probe()
  await fails(pkcs11Cluster({ library, token: 'nowhere' }).probe(), 'hsmAbsent')
  await fails(pkcs11Cluster({ library: '/nowhere.so', token: 'waxseal' }).probe(), 'hsmUnsuitable')
  await fails(pkcs11Cluster({ library: process.execPath, token: 'waxseal' }).probe(), 'hsmUnsuitable')
  assert.throws(() => pkcs11Cluster({ library: '', token: 'waxseal' }), TypeError)
  assert.throws(() => pkcs11Cluster({ library, token: 'waxseal', maxSessions: 0 }), RangeError)
})

await check('logs in with the PIN alone', async () => {
  await fails(cluster.keyStore(Buffer.from('another PIN')).check(request), 'hsmWrongPin')
  await fails(cluster.keyStore(Buffer.from('another PIN')).addKey('key', request), 'hsmWrongPin')
  const own = pkcs11Cluster({ library, token: 'waxseal', pin: PIN })
  await fails(own.keyStore(Buffer.from('another PIN')).check(request), 'hsmWrongPin')
  await store.check(request)
})

await check('makes a key that the token does not give away', async () => {
  await store.addKey('key-1', request)
  withSession('waxseal', (session) => {
    const found = session.find({ id: Buffer.from('key-1') })
    assert.equal(found.length, 1)
    const attributes = {
      sensitive: null,
      extractable: null,
      alwaysSensitive: null,
      neverExtractable: null,
      local: null,
    }
    assert.deepEqual(found.items(0).getAttribute(attributes), {
      sensitive: true,
      extractable: false,
      alwaysSensitive: true,
      neverExtractable: true,
      local: true,
    })
    assert.throws(() => found.items(0).getAttribute({ value: null }), /CKR_ATTRIBUTE_SENSITIVE/)
  })
})

await check('encrypts and decrypts 1 to 4096 bytes, each time with another IV', async () => {
  const ivs = new Set()
  for (const length of [1, 15, 16, 17, 32, 4095, 4096]) {
    const long = new Uint8Array(length).fill(length)
    const sealed = await store.encrypt('key-1', long, aad, request)
    assert.deepEqual([sealed.ciphertext.length, sealed.iv.length, sealed.tag.length], [length, 12, 16])
    ivs.add(Buffer.from(sealed.iv).toString('hex'))
    assert.deepEqual(await store.decrypt('key-1', sealed, aad, request), long)
  }
  assert.equal(ivs.size, 7)
})

await check('refuses what was changed, and keys that are not there', async () => {
  const sealed = await store.encrypt('key-1', plaintext, aad, request)
  for (const part of ['ciphertext', 'iv', 'tag']) {
    const changed = sealed[part].slice()
    changed[0] ^= 1
    await fails(store.decrypt('key-1', { ...sealed, [part]: changed }, aad, request), 'invalidCiphertext')
  }
  await fails(store.decrypt('key-1', sealed, plaintext, request), 'invalidCiphertext')
  await fails(store.decrypt('key-1', { ...sealed, iv: new Uint8Array(16) }, aad, request), 'invalidCiphertext')
  await fails(store.decrypt('key-1', { ...sealed, metadata: aad }, aad, request), 'invalidCiphertext')
  await fails(store.encrypt('key-2', plaintext, aad, request), 'hsmKeyNotFound')
  await store.addKey('key-2', request)
  await fails(store.decrypt('key-2', sealed, aad, request), 'invalidCiphertext')
  assert.deepEqual(await store.decrypt('key-1', sealed, aad, request), plaintext)
})

await check('works for 200 callers in four sessions', async () => {
  const work = Array.from({ length: 200 }, async (_, index) => {
    const own = new Uint8Array(100).fill(index)
    const sealed = await store.encrypt('key-1', own, aad, request)
    if (index % 3 === 0) await fails(store.decrypt('key-1', sealed, plaintext, request), 'invalidCiphertext')
    assert.deepEqual(await store.decrypt('key-1', sealed, aad, request), own)
  })
  await Promise.all(work)
})

await check('takes no other PIN while it is logged in', async () => {
  const wrong = Buffer.from('another PIN')
  const same = pkcs11Cluster({ library, token: 'waxseal' })
  const working = Array.from({ length: 4 }, () => store.encrypt('key-1', plaintext, aad, request))
  await fails(cluster.keyStore(wrong).random(1), 'hsmWrongPin')
  await fails(same.keyStore(wrong).random(1), 'hsmWrongPin')
  assert.equal((await same.keyStore(pin).random(1)).length, 1)
  // Its own login ends with the check, and that of the other one is still there.
  await fails(cluster.keyStore(wrong).check(request), 'hsmWrongPin')
  await store.check(request)
  await Promise.all(working)
  await fails(cluster.keyStore(wrong).random(1), 'hsmWrongPin')
  await same.disconnect()
})

await check('asks the token once about a wrong PIN, however often it is told to connect', async () => {
  const wrong = cluster.keyStore(Buffer.from('another PIN'))
  await cluster.disconnect()
  await fails(wrong.check(request), 'hsmWrongPin')
  assert.ok(isPinCountLow('waxseal'))
  withSession('waxseal', () => undefined)
  assert.ok(!isPinCountLow('waxseal'))
  await fails(wrong.check(request), 'hsmWrongPin')
  await fails(wrong.random(1), 'hsmWrongPin')
  assert.ok(!isPinCountLow('waxseal'))
  await fails(cluster.keyStore(Buffer.from('yet another PIN')).check(request), 'hsmWrongPin')
  assert.ok(isPinCountLow('waxseal'))
  await store.check(request)
})

await check('draws random bytes', async () => {
  const [one, two] = [await store.random(100), await store.random(100)]
  assert.equal(one.length, 100)
  assert.notDeepEqual(one, two)
})

await check('gives up its access, takes it again, and destroys a key', async () => {
  const sealed = await store.encrypt('key-1', plaintext, aad, request)
  await cluster.disconnect()
  await fails(cluster.removeKey('key-1'), 'hsmAbsent')
  assert.deepEqual(await store.decrypt('key-1', sealed, aad, request), plaintext)
  await cluster.removeKey('key-1')
  await fails(store.decrypt('key-1', sealed, aad, request), 'hsmKeyNotFound')
  await cluster.removeKey('key-2')
  await cluster.disconnect()
  withSession('waxseal', (session) => assert.equal(session.find({ class: graphene.ObjectClass.SECRET_KEY }).length, 0))
})

await check('serves the engine, until the key has ended', async () => {
  let now = Date.UTC(2026, 0, 2)
  const engine = await createEngine({
    store: memoryStore(),
    rootKey: new Uint8Array(32).fill(1),
    clock: () => now,
    keyStores: { hsmClusters: { [CLUSTER]: cluster } },
  })
  const { CustomKeyStoreId } = await engine.call('CreateCustomKeyStore', {
    ...storeInput(),
    KeyStorePassword: 'wrong PIN',
  })
  await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId })
  const [failed] = (await engine.call('DescribeCustomKeyStores', {})).CustomKeyStores
  assert.deepEqual([failed.ConnectionState, failed.ConnectionErrorCode], ['FAILED', 'INVALID_CREDENTIALS'])
  await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId })
  await engine.call('UpdateCustomKeyStore', { CustomKeyStoreId, KeyStorePassword: PIN })
  await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId })
  const { KeyId } = (await engine.call('CreateKey', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })).KeyMetadata
  const made = await engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256', EncryptionContext: { a: 'b' } })
  const { CiphertextBlob } = made
  const answer = await engine.call('Decrypt', { CiphertextBlob, EncryptionContext: { a: 'b' } })
  assert.deepEqual(answer.Plaintext, made.Plaintext)
  await assert.rejects(engine.call('Decrypt', { CiphertextBlob }), { name: 'InvalidCiphertextException' })
  const random = await engine.call('GenerateRandom', { NumberOfBytes: 32, CustomKeyStoreId })
  assert.equal(random.Plaintext.length, 32)
  await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  now += 8 * 86_400_000
  engine.confirmTime()
  await engine.runDueWork()
  await engine.close()
  withSession('waxseal', (session) => assert.equal(session.find({ class: graphene.ObjectClass.SECRET_KEY }).length, 0))
})

await check('serves the AWS SDK through waxseal serve, again after a restart', async () => {
  writeFileSync(join(folder, 'pin'), `${PIN}\n`)
  writeFileSync(join(folder, 'anchor.pem'), ANCHOR)
  const file = join(folder, 'hsm.json')
  const module = { library, token: 'other', pinFile: 'pin', trustAnchorFile: 'anchor.pem' }
  writeFileSync(file, JSON.stringify({ [CLUSTER]: module }))
  const blobs = await serving(file, async (kms) => {
    const { CustomKeyStoreId } = await kms.createCustomKeyStore(storeInput())
    await kms.connectCustomKeyStore({ CustomKeyStoreId })
    const { CustomKeyStores } = await kms.describeCustomKeyStores({ CustomKeyStoreId })
    assert.equal(CustomKeyStores[0].ConnectionState, 'CONNECTED')
    const { KeyId, KeyState } = (await kms.createKey({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })).KeyMetadata
    assert.equal(KeyState, 'Enabled')
    const other = (await kms.createKey({})).KeyMetadata.KeyId
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: plaintext })
    const moved = await kms.reEncrypt({ CiphertextBlob, DestinationKeyId: other })
    assert.deepEqual((await kms.decrypt({ CiphertextBlob: moved.CiphertextBlob })).Plaintext, plaintext)
    return { CiphertextBlob, CustomKeyStoreId }
  })
  await serving(file, async (kms) => {
    const { CiphertextBlob, CustomKeyStoreId } = blobs
    assert.deepEqual((await kms.decrypt({ CiphertextBlob })).Plaintext, plaintext)
    await kms.disconnectCustomKeyStore({ CustomKeyStoreId })
    await assert.rejects(kms.decrypt({ CiphertextBlob }), { name: 'KMSInvalidStateException' })
  })
  for (const name of readdirSync(join(folder, 'data'))) {
    assert.ok(!readFileSync(join(folder, 'data', name)).includes(PIN), `the PIN is in ${name}`)
  }
})

await check('is refused with a file that does not say which modules there are', async () => {
  const file = join(folder, 'wrong.json')
  for (const text of ['', '[]', '{"cluster-1":{}}', `{"${CLUSTER}":{"library":"a"}}`, `{"${CLUSTER}":{"pin":"1"}}`]) {
    writeFileSync(file, text)
    const child = spawn(process.execPath, serveArguments(file), { stdio: 'ignore' })
    assert.deepEqual(await once(child, 'exit'), [2, null], text)
  }
})

function storeInput() {
  return {
    CustomKeyStoreName: 'module',
    CloudHsmClusterId: CLUSTER,
    TrustAnchorCertificate: ANCHOR,
    KeyStorePassword: PIN,
  }
}

function serveArguments(file) {
  const cli = join(import.meta.dirname, 'node_modules/waxseal/dist/cli.js')
  const data = ['--data', join(folder, 'data'), '--root-key', join(folder, 'root.key')]
  return [cli, 'serve', '--port', '0', '--json', ...data, '--hsm', file]
}

/** Works with a server, and ends it. */
async function serving(file, work) {
  const child = spawn(process.execPath, serveArguments(file), { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [line] = await once(child.stdout, 'data')
    const { url } = JSON.parse(String(line))
    const [, accessKeyId, secretAccessKey] = /id = (\S+)\s+\S+ = (\S+)/.exec(
      readFileSync(join(folder, 'data/credentials'), 'utf8'),
    )
    const credentials = { accessKeyId, secretAccessKey }
    return await work(new KMS({ endpoint: url, region: 'us-east-1', credentials, maxAttempts: 1 }))
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
}

/** Looks into a token with the package itself. */
function withSession(label, work) {
  const session = slotOf(label).open()
  try {
    session.login(PIN)
  } catch (error) {
    if (!/ALREADY_LOGGED_IN/.test(error.message)) throw error
  }
  try {
    return work(session)
  } finally {
    session.close()
  }
}

/** Whether the token was given a wrong PIN since the last right one (PKCS #11 version 2.40, CK_TOKEN_INFO). */
function isPinCountLow(label) {
  return (slotOf(label).getToken().flags & graphene.TokenFlag.USER_PIN_COUNT_LOW) !== 0
}

function slotOf(label) {
  const slots = graphene.Module.load(library, 'SoftHSM2').getSlots(true)
  for (let index = 0; index < slots.length; index++) {
    if (slots.items(index).getToken().label.trimEnd() === label) return slots.items(index)
  }
  throw new Error(`there is no token ${label}`)
}

async function fails(work, fault) {
  await assert.rejects(work, { name: 'KeyStoreError', fault })
}

async function check(title, work) {
  try {
    await work()
    console.log(`ok     ${title}`)
  } catch (error) {
    process.exitCode = 1
    console.log(`FAILED ${title}\n${error.stack}`)
  }
}
