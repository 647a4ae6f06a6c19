// The same with the AWS Encryption SDK for JavaScript, from the folder that is given.
import { createRequire } from 'node:module'
import { argv } from 'node:process'
import { pathToFileURL } from 'node:url'

const [message, wrappingKey, folder] = argv.slice(2)
const path = pathToFileURL(createRequire(folder).resolve('@aws-crypto/client-node'))
const start = performance.now()
const { buildClient, CommitmentPolicy, RawAesKeyringNode, RawAesWrappingSuiteIdentifier } = await import(path)
const imported = performance.now()
const keyring = new RawAesKeyringNode({
  keyNamespace: 'start',
  keyName: 'k',
  unencryptedMasterKey: Uint8Array.from(Buffer.from(wrappingKey, 'base64')),
  wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
})
const { decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
const { plaintext } = await decrypt(keyring, Buffer.from(message, 'base64'))
const end = performance.now()
if (plaintext.length !== 64) throw new Error('the first message did not decrypt')
console.log(JSON.stringify({ import: imported - start, decrypt: end - imported }))
