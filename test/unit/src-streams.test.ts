import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it, vi } from 'vitest'
import { decrypt, decryptStream, encrypt, encryptStream, LimitError, multiKeyring } from '../../src/index.ts'
import type { DecryptStream, Keyring } from '../../src/index.ts'
import { pieces, pour } from '../conformance/pouring.ts'
import { VectorFolder } from '../esdk/esdk-vectors.ts'
import { MessageReader } from '../../src/message-reader.ts'
import { keyring, text } from './framed-messages.ts'

const vectors = new VectorFolder(new URL('../esdk/selection/', import.meta.url))
const nonFramed = vectors.entries.filter(({ contentType, expect: outcome }) => {
  return contentType === 'nonframed' && outcome === 'ok'
})

describe('non-framed bodies', () => {
  it('are there', () => {
    expect(nonFramed.length).toBeGreaterThan(0)
  })

  it.each(nonFramed)('$id counts as one frame', async (entry) => {
    const plaintext = vectors.bytes(entry.plaintext ?? '')
    const message = vectors.bytes(entry.ciphertext)
    const commitmentPolicy = 'require-encrypt-allow-decrypt'
    for (const step of [1, 1000, 1_000_000]) {
      const read = (maxFrameLength: number): ReturnType<typeof pour> => {
        const options = { commitmentPolicy, signedStreams: 'allow', maxFrameLength } as const
        return pour(decryptStream(vectors.keyring(entry.keyring), options), pieces(message, step))
      }
      expect((await read(plaintext.length)).output).toEqual(plaintext)
      const { output, failures } = await read(plaintext.length - 1)
      expect(failures[0]).toBeInstanceOf(LimitError)
      expect(output).toHaveLength(0)
    }
  })
})

// The types of Node's web streams are not quite those of the DOM.
describe("Node's own streams", () => {
  it('connect by pipeline, Readable.toWeb and Readable.fromWeb', async () => {
    const plaintext = text(300_000)
    const source = Readable.from(pieces(plaintext, 1000, 70_000))
    const message = Readable.toWeb(source).pipeThrough(encryptStream(keyring) as never)
    const output = new PassThrough()
    const [bytes] = await Promise.all([
      output.toArray(),
      pipeline(Readable.fromWeb(message as never), decryptStream(keyring) as never, output),
    ])
    expect(Buffer.concat(bytes as Uint8Array[]).equals(plaintext)).toBe(true)
  })

  it('are destroyed by what a stream fails with', async () => {
    const message = await encrypt(keyring, text(100))
    const source = Readable.from([message.subarray(0, -1)])
    const opened = Readable.toWeb(source).pipeThrough(decryptStream(keyring) as never)
    await expect(pipeline(Readable.fromWeb(opened as never), new PassThrough().resume())).rejects.toMatchObject({
      code: 'ERR_WAXSEAL_FORMAT',
    })
  })
})

describe('a stream', () => {
  it('draws random bytes once, for its first chunk', async () => {
    const draw = vi.spyOn(globalThis.crypto, 'getRandomValues')
    const stream = encryptStream(keyring)
    expect(draw).not.toHaveBeenCalled()
    await pour(stream, pieces(text(20_000), 900))
    expect(draw).toHaveBeenCalledOnce()
    draw.mockRestore()
  })

  it('tells a materials manager the bound of its plaintext, and that it knows none', async () => {
    const asked: unknown[] = []
    const counting: Keyring = { wrap: (materials) => keyring.wrap(materials), unwrap: () => undefined }
    const { defaultMaterials } = await import('../../src/default-materials.ts')
    const inner = defaultMaterials(counting)
    const manager = {
      encryptionMaterials: (request: Parameters<typeof inner.encryptionMaterials>[0]) => {
        asked.push(request.plaintextLength)
        return inner.encryptionMaterials(request)
      },
      decryptionMaterials: inner.decryptionMaterials.bind(inner),
    }
    await pour(encryptStream(manager, { plaintextLength: 5 }), [text(3)])
    await pour(encryptStream(manager), [text(3)])
    expect(asked).toEqual([5, undefined])
  })

  it('fails when a chunk is transferred away while it is worked on', async () => {
    let chunk = new Uint8Array(0)
    const waiting: Keyring = {
      wrap: async (materials) => {
        structuredClone(chunk.buffer, { transfer: [chunk.buffer] })
        await keyring.wrap(materials)
      },
      unwrap: async () => undefined,
    }
    for (const frameLength of [4096, 100_000]) {
      chunk = new Uint8Array(10_000)
      const { failures } = await pour(encryptStream(waiting, { frameLength }), [chunk])
      expect(failures[0]).toBeInstanceOf(TypeError)
    }
  })

  it.each<[string, (stream: DecryptStream, abort: AbortController) => unknown]>([
    ['its reader is cancelled', ({ readable }) => readable.cancel('no')],
    ['its writer is aborted', ({ writable }) => writable.abort('no')],
    ['its signal is aborted', (_, abort) => abort.abort('no')],
  ])('wipes its key if %s as soon as the header is there', async (_, act) => {
    const wiped = vi.spyOn(MessageReader.prototype, 'dispose')
    const abort = new AbortController()
    const stream = decryptStream(keyring, { signal: abort.signal })
    const acting = stream.header.then(() => act(stream, abort))
    const poured = pour(stream, [await encrypt(keyring, text(10_000))])
    await Promise.allSettled([acting, poured])
    expect(wiped).toHaveBeenCalled()
    wiped.mockRestore()
  })

  it('reads a header of many keys byte by byte', async () => {
    const many = multiKeyring({ children: Array.from({ length: 64 }, () => keyring) })
    const message = await encrypt(many, text(10))
    expect((await pour(decryptStream(keyring), pieces(message, 1))).output).toEqual(text(10))
    expect((await decrypt(keyring, message)).plaintext).toEqual(text(10))
  })
})
