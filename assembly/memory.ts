// Every address of the module. Linear memory never grows: 8 pages, laid out as
//
//   0      STATIC   constant tables, placed by the compiler from 1024 upwards
//   16 Ki  PUBLIC   results that a caller reads after a call
//   17 Ki  SECRET   scratch of a call, then the key slots
//   168 Ki IO       the arena: inputs and outputs, copied in and out by the caller
//
// SECRET and IO are adjacent, so that wiping everything is one fill.

/** Results of frame calls, as u32 words: see message/frame.ts. */
export const FRAME_RESULT: usize = 0x4000
/** State of the header scanner, as f64 words: see message/header.ts. */
export const HEADER_RESULT: usize = 0x4040
/** Bytes that the header writer has put to OUT. */
export const HEADER_CURSOR: usize = 0x40c0

// Scratch. Everything here is wiped by the call that used it.
const SCRATCH: usize = 0x4400
/** FIPS 197 round keys, 15 × 16 bytes. */
export const ROUND_KEYS: usize = SCRATCH
/** x^0·H … x^7·H while a GHASH table is built, 8 × 16 bytes. */
export const GHASH_BASIS: usize = ROUND_KEYS + 240
/** One batch of CTR: eight blocks. */
export const CTR_BATCH: usize = GHASH_BASIS + 128
/** Key stream of counters 0 … 7 of the current message: E(J0) at +16, then the first 96 bytes. */
export const CTR_HEAD: usize = CTR_BATCH + 128
/** Up to 8 blocks of GHASH input that are not a whole group in their place. */
export const GHASH_TAIL: usize = CTR_HEAD + 128
/** State of the GCM message in progress: see gcm.ts. */
export const GCM_STATE: usize = GHASH_TAIL + 128
/** Additional authenticated data of a frame. */
export const FRAME_AAD: usize = GCM_STATE + 64
/** SHA-2 message schedule, 80 × 8 bytes. */
export const SHA_SCHEDULE: usize = FRAME_AAD + 128
/** SHA-2 chaining value, 8 × 8 bytes, and the number of bytes that went into it, u64. */
export const SHA_STATE: usize = SHA_SCHEDULE + 640
export const SHA_COUNT: usize = SHA_STATE + 64
export const SHA_STATE_BYTES: u32 = 72
/** The last one or two padded blocks of a SHA-2 message. */
export const SHA_TAIL: usize = SHA_COUNT + 16
/** Chaining values after the inner and the outer key block of HMAC, 2 × 64 bytes. */
export const HMAC_STATES: usize = SHA_TAIL + 256
/** The HMAC key block. */
export const HMAC_BLOCK: usize = HMAC_STATES + 128
/** HKDF pseudorandom key. */
export const HKDF_PRK: usize = HMAC_BLOCK + 128
/** HKDF input of a message key: info, then room for T(i) ‖ info ‖ counter. */
export const KEY_INFO: usize = HKDF_PRK + 64
/** A derived encryption key on its way into a slot. */
export const DERIVED_KEY: usize = KEY_INFO + 192
const SCRATCH_END: usize = DERIVED_KEY + 64

/** Key slots: see slots.ts for what is inside one. */
export const SLOTS: usize = 0x8000
export const SLOT_BYTES: usize = 0x1100
export const SLOT_COUNT: u32 = 32

/** The arena. */
export const IO: usize = 0x2a000
export const IO_BYTES: usize = 0x80000 - IO
/** The arena's second half, for calls whose output is laid out differently from their input. */
export const OUT: usize = IO + IO_BYTES / 2

/** Overwrites all scratch. */
export function wipeScratch(): void {
  memory.fill(SCRATCH, 0, SCRATCH_END - SCRATCH)
}

/** Overwrites what a GCM call leaves in scratch. */
export function wipeGcm(): void {
  memory.fill(GHASH_BASIS, 0, FRAME_AAD - GHASH_BASIS)
}

/** Overwrites `length` bytes of the arena or of a slot. */
export function wipe(address: usize, length: usize): void {
  memory.fill(address, 0, length)
}
