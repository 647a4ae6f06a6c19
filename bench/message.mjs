import {
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  buildClient,
} from '@aws-crypto/client-node'
import { decrypt, decryptSync, encrypt, encryptSync, rawAesKeyring } from 'waxseal'
import { bytes, sizeName } from './data.mjs'

export const AWS = '@aws-crypto/client-node'
export const messageGroup = (action, size) => `message ${action}, ${sizeName(size)}`

const SUITE = 0x0478
const encryptionContext = { tenant: 'a' }

/** Whole messages of suite 0x0478 in frames of 4 KiB, with a raw AES keyring and one pair of context. */
export function messageGroups(sizes) {
  const wrappingKey = bytes(32)
  const keyring = rawAesKeyring({ namespace: 'bench', name: 'key', wrappingKey })
  const peerKeyring = new RawAesKeyringNode({
    keyNamespace: 'bench',
    keyName: 'key',
    unencryptedMasterKey: wrappingKey.slice(),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  })
  const peer = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
  const options = { encryptionContext, algorithmSuite: SUITE }
  const peerOptions = { encryptionContext, suiteId: SUITE, frameLength: 4096 }
  return sizes.flatMap((size) => {
    // Short calls go one after the other in one run of some milliseconds: what the harness does around an asynchronous
    // run takes as long as several of waxseal's calls.
    const repeated = (name, call, times) => {
      const perRun = size < 4096 ? times : 1
      return { name, perRun, run: () => repeat(perRun, call) }
    }
    const plaintext = bytes(size)
    const message = encryptSync(keyring, plaintext, options)
    const encrypting = [
      repeated('waxseal', () => encrypt(keyring, plaintext, options), 512),
      { name: 'waxseal, synchronous', run: () => encryptSync(keyring, plaintext, options) },
      repeated(AWS, () => peer.encrypt(peerKeyring, plaintext, peerOptions), 16),
    ]
    const decrypting = [
      repeated('waxseal', () => decrypt(keyring, message), 512),
      { name: 'waxseal, synchronous', run: () => decryptSync(keyring, message) },
      repeated(AWS, () => peer.decrypt(peerKeyring, message), 16),
    ]
    return [
      { name: messageGroup('encrypt', size), cases: encrypting },
      { name: messageGroup('decrypt', size), cases: decrypting },
    ]
  })
}

async function repeat(times, call) {
  for (let i = 0; i < times; i++) await call()
}
