/** Bytes of plaintext that AES-GCM is measured with. */
export const GCM_SIZES = [16, 64, 256, 1024, 4096, 16_384, 65_536, 1_048_576]

/** Bytes that do not compress and are the same in every run. */
export function bytes(length) {
  let state = 0x9e3779b9
  return Uint8Array.from({ length }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 0xff
  })
}

export function sizeName(size) {
  if (size >= 1_048_576) return `${size / 1_048_576} MiB`
  return size >= 1024 ? `${size / 1024} KiB` : `${size} B`
}
