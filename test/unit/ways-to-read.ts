import { decrypt, decryptStream, decryptSync } from '../../src/index.ts'
import { openMessage } from '../../src/range.ts'
import type { DecryptStreamOptions, Keyring } from '../../src/index.ts'
import { pieces, pour, randomPieces } from '../conformance/pouring.ts'

/** What came of a reading: all of the plaintext, or an error and what had come out until then. */
export interface Reading {
  readonly output: Uint8Array
  readonly error: Error | undefined
}

type Read = (keyring: Keyring, message: Uint8Array, options?: DecryptStreamOptions) => Promise<Reading>

function ofBytes(open: (...args: Parameters<typeof decrypt>) => Uint8Array | Promise<Uint8Array>): Read {
  return async (keyring, message, options) => {
    try {
      return { output: await open(keyring, message, options), error: undefined }
    } catch (error) {
      return { output: new Uint8Array(0), error: toError(error) }
    }
  }
}

function ofStream(piecesOf: (message: Uint8Array) => Iterable<Uint8Array>): Read {
  return async (keyring, message, options) => {
    const reading = decryptStream(keyring, options)
    const { output, failures } = await pour(reading, piecesOf(message))
    if (failures.length === 0) await reading.header
    return { output, error: failures.length === 0 ? undefined : toError(failures[0]) }
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

/** Every way to read a whole message, signed ones included if the options allow it. */
export const WAYS_TO_READ: Readonly<Record<string, Read>> = {
  bytes: ofBytes(async (...args) => (await decrypt(...args)).plaintext),
  'bytes at once': ofBytes((...args) => decryptSync(...args).plaintext),
  'a stream in random chunks': ofStream((message) =>
    randomPieces(message, message.length, Math.ceil(message.length / 3)),
  ),
  'a stream byte by byte': ofStream((message) => pieces(message, 1)),
  'a stream in one chunk': ofStream((message) => [message]),
}

/** As one range: of framed messages, and without a look at their signature. */
export const readAsRange: Read = ofBytes(async (...args) => {
  const opened = await openMessage(...args)
  try {
    return await opened.read()
  } finally {
    opened.dispose()
  }
})
