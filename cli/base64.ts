import { FormatError } from '../src/index.ts'

/** Characters of a line, as MIME and base64(1) have it (RFC 2045 §6.8); a multiple of four. */
const LINE_CHARACTERS = 76
const LINE_BYTES = (LINE_CHARACTERS / 4) * 3

/** Bytes to base64 in lines (RFC 4648 §4). */
export function base64Encoder(): TransformStream<Uint8Array, Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0)
  const lines = (bytes: Uint8Array): Uint8Array => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
    return Buffer.from(text.replace(/.{1,76}/g, '$&\n'), 'latin1')
  }
  return new TransformStream({
    transform(chunk, controller) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const whole = bytes.length - (bytes.length % LINE_BYTES)
      rest = new Uint8Array(bytes.subarray(whole))
      if (whole > 0) controller.enqueue(lines(bytes.subarray(0, whole)))
    },
    flush(controller) {
      if (rest.length > 0) controller.enqueue(lines(rest))
    },
  })
}

/**
 * Base64 to bytes. Spaces and line breaks do not count; anything else that is no base64, and an end that is cut off,
 * is a FormatError.
 */
export function base64Decoder(): TransformStream<Uint8Array, Uint8Array> {
  let rest = ''
  let isPadded = false
  return new TransformStream({
    transform(chunk, controller) {
      const text =
        rest +
        Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
          .toString('latin1')
          .replace(/[ \t\r\n]+/g, '')
      const whole = text.length - (text.length % 4)
      rest = text.slice(whole)
      if (whole === 0 && rest === '') return
      const quads = text.slice(0, whole)
      if ((isPadded && text !== '') || !/^[A-Za-z0-9+/]*={0,2}$/.test(quads) || !/^[A-Za-z0-9+/]*=*$/.test(rest)) {
        throw new FormatError('the input is not base64')
      }
      isPadded = quads.endsWith('=')
      const bytes = Buffer.from(quads, 'base64')
      if (isPadded && bytes.subarray(-(bytes.length % 3)).toString('base64') !== quads.slice(-4))
        throw new FormatError('the input is not base64: its last bits are not zero')
      if (bytes.length > 0) controller.enqueue(bytes)
    },
    flush() {
      if (rest !== '') throw new FormatError('the input ends inside its base64')
    },
  })
}
