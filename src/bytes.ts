export { concatBytes, copyBytes } from '../bindings/bytes.ts'

/** Lexicographic order of bytes: negative, zero or positive. Not for secrets: the time depends on the bytes. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
