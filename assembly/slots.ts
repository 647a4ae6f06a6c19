// Key slots: an expanded AES key with its GHASH tables, and what belongs to a message key. A slot is named by its
// number and a generation that changes with every key set or released in it, so that a stale name finds nothing.

import { expandKey, roundsFor } from './aes'
import { ctrKeyStream, sliceRoundKeys } from './ctr'
import { GHASH_TABLE_BYTES, ghashInit } from './ghash'
import { SLOT_BYTES, SLOT_COUNT, SLOTS, wipe } from './memory'

// Offsets inside a slot.
const PLANES: usize = 0
const TABLES: usize = 15 * 128
const ZERO_HEAD: usize = TABLES + GHASH_TABLE_BYTES
const META: usize = ZERO_HEAD + 128
const GENERATION: usize = META
const ROUNDS: usize = META + 4
const MESSAGE_ID_BYTES: usize = META + 8
const MESSAGE_ID: usize = META + 16
const COMMITMENT: usize = META + 48

/** Address of a slot that holds the key of this generation; 0 if there is none. */
export function findSlot(slot: u32, generation: u32): usize {
  if (slot >= SLOT_COUNT) return 0
  const address = SLOTS + slot * <u32>SLOT_BYTES
  if (load<u32>(address + GENERATION) != generation || load<u32>(address + ROUNDS) == 0) return 0
  return address
}

/**
 * Expands the key at `key` into the slot and answers the slot's new generation, never zero. The key stream of the zero
 * IV is kept: its counter 0 is the encrypted zero block, the hash subkey (SP 800-38D §7.1 step 1), and message headers
 * use the rest. Leaves round keys in scratch: the caller wipes it.
 */
export function installKey(slot: u32, key: usize, keyBytes: u32): u32 {
  const address = SLOTS + slot * <u32>SLOT_BYTES
  const rounds = roundsFor(keyBytes)
  if (roundsOf(address) != 0) releaseSlot(address)
  expandKey(key, keyBytes)
  sliceRoundKeys(address + PLANES, rounds)
  const head = address + ZERO_HEAD
  ctrKeyStream(address + PLANES, rounds, i64x2.splat(0), 0, head)
  ghashInit(address + TABLES, v128.load(head))
  store<u32>(address + ROUNDS, rounds)
  return advance(address)
}

/** Wipes the slot; its old generation is stale from here on. */
export function releaseSlot(address: usize): void {
  const generation = load<u32>(address + GENERATION)
  wipe(address, SLOT_BYTES)
  store<u32>(address + GENERATION, generation)
  advance(address)
}

function advance(address: usize): u32 {
  const next = load<u32>(address + GENERATION) + 1
  const generation = next + u32(next == 0)
  store<u32>(address + GENERATION, generation)
  return generation
}

// @ts-ignore: decorator
@inline
export function planesOf(slot: usize): usize {
  return slot + PLANES
}

// @ts-ignore: decorator
@inline
export function tablesOf(slot: usize): usize {
  return slot + TABLES
}

/** Address of the key stream of the zero IV from counter 0 on, 128 bytes. */
// @ts-ignore: decorator
@inline
export function zeroHeadOf(slot: usize): usize {
  return slot + ZERO_HEAD
}

// @ts-ignore: decorator
@inline
export function roundsOf(slot: usize): u32 {
  return load<u32>(slot + ROUNDS)
}

/** Address of the 32-byte commit key. */
// @ts-ignore: decorator
@inline
export function commitmentOf(slot: usize): usize {
  return slot + COMMITMENT
}

/** Address of the message id. */
// @ts-ignore: decorator
@inline
export function messageIdOf(slot: usize): usize {
  return slot + MESSAGE_ID
}

// @ts-ignore: decorator
@inline
export function messageIdBytesOf(slot: usize): u32 {
  return load<u32>(slot + MESSAGE_ID_BYTES)
}

/** Keeps the message id of a message key in its slot. */
export function setMessageId(slot: usize, messageId: usize, length: u32): void {
  store<u32>(slot + MESSAGE_ID_BYTES, length)
  memory.copy(slot + MESSAGE_ID, messageId, length)
}
