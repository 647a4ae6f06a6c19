// Message keys (framework/transitive-requirements.md of the AWS Encryption SDK specification): data key and message
// id give the encryption key and, for committing suites, the commit key.

import { hkdfExpand, hkdfExtract } from '../hkdf'
import { hmacKey } from '../hmac'
import { DERIVED_KEY, HKDF_PRK, KEY_INFO, SLOTS, SLOT_BYTES } from '../memory'
import { digestBytes, SHA512 } from '../sha2'
import { commitmentOf, installKey, setMessageId } from '../slots'
import { suiteHash, suiteIsIdentity, suiteKeyBytes, suiteVersion } from './suite'

const INFO: usize = KEY_INFO + 64

// "DERIVEKEY" and "COMMITKEY", in memory order.
const LABEL_BYTES: u32 = 9
const DERIVEKEY: usize = memory.data<u8>([0x44, 0x45, 0x52, 0x49, 0x56, 0x45, 0x4b, 0x45, 0x59])
const COMMITKEY: usize = memory.data<u8>([0x43, 0x4f, 0x4d, 0x4d, 0x49, 0x54, 0x4b, 0x45, 0x59])

/** Bytes of a message id of this version. */
export function messageIdBytes(version: u32): u32 {
  return version << 4
}

/**
 * Derives the encryption key of a message of suite `id`; answers where it stands. Version 1 has the zero salt and the
 * info suite id ‖ message id; version 2 has the message id as salt and the info suite id ‖ "DERIVEKEY". Leaves secrets
 * in scratch: the caller wipes it.
 */
export function deriveEncryptionKey(id: u32, dataKey: usize, messageId: usize): usize {
  if (suiteIsIdentity(id)) return dataKey
  const version = suiteVersion(id)
  const keyBytes = suiteKeyBytes(id)
  const idBytes = messageIdBytes(version)
  const hash = suiteHash(id)
  const isCommitting = version == 2
  hkdfExtract(hash, messageId, isCommitting ? idBytes : 0, dataKey, keyBytes)
  hmacKey(hash, HKDF_PRK, digestBytes(hash))
  store<u16>(INFO, bswap(<u16>id))
  memory.copy(INFO + 2, isCommitting ? DERIVEKEY : messageId, isCommitting ? LABEL_BYTES : idBytes)
  hkdfExpand(hash, KEY_INFO, 2 + (isCommitting ? LABEL_BYTES : idBytes), DERIVED_KEY, keyBytes)
  return DERIVED_KEY
}

/**
 * Derives the keys of a message of suite `id` into `slot`; answers the slot's generation. Version 2 has a commit key
 * as well, with the info "COMMITKEY". Leaves secrets in scratch: the caller wipes it.
 */
export function deriveMessageKey(slot: u32, id: u32, dataKey: usize, messageId: usize): u32 {
  const version = suiteVersion(id)
  const address = SLOTS + slot * <u32>SLOT_BYTES
  const encryptionKey = deriveEncryptionKey(id, dataKey, messageId)
  const generation = installKey(slot, encryptionKey, suiteKeyBytes(id))
  setMessageId(address, messageId, messageIdBytes(version))
  if (version == 2) {
    memory.copy(INFO, COMMITKEY, LABEL_BYTES)
    hkdfExpand(SHA512, KEY_INFO, LABEL_BYTES, commitmentOf(address), 32)
  }
  return generation
}
