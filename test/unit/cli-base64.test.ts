import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { base64Decoder, base64Encoder } from '../../cli/base64.ts'
import { FormatError } from '../../src/index.ts'

async function through(
  stream: TransformStream<Uint8Array, Uint8Array>,
  chunks: readonly Uint8Array[],
): Promise<Buffer> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  const output: Uint8Array[] = []
  await source.pipeThrough(stream).pipeTo(
    new WritableStream<Uint8Array>({
      write(chunk) {
        output.push(chunk)
      },
    }),
  )
  return Buffer.concat(output)
}

const text = (value: string): Uint8Array => Buffer.from(value)

describe('base64', () => {
  it.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('has the vectors of RFC 4648: %j', async (plain, encoded) => {
    expect((await through(base64Encoder(), [text(plain)])).toString()).toBe(encoded === '' ? '' : `${encoded}\n`)
    expect((await through(base64Decoder(), [text(encoded)])).toString()).toBe(plain)
  })

  it('breaks lines as base64(1), however the input comes, and reads them', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 100 }), async (parts, step) => {
        const whole = Buffer.concat(parts)
        const encoded = await through(base64Encoder(), parts)
        const lines = whole.toString('base64').match(/.{1,76}/g) ?? []
        expect(encoded.toString()).toBe(lines.map((line) => `${line}\n`).join(''))
        const pieces = Array.from({ length: Math.ceil(encoded.length / step) }, (_, index) =>
          encoded.subarray(index * step, (index + 1) * step),
        )
        expect(await through(base64Decoder(), pieces)).toEqual(whole)
      }),
    )
  })

  it.each(['Zg', 'Zg=', 'Z', 'Zm9v!', 'Zm9v-_', 'Zg==Zg==', 'Z===', '====', 'Zh==', 'Zm9=', 'é'])(
    'refuses %j',
    async (bad) => {
      await expect(through(base64Decoder(), [text(bad)])).rejects.toThrow(FormatError)
      await expect(
        through(
          base64Decoder(),
          [...text(bad)].map((byte) => Uint8Array.of(byte)),
        ),
      ).rejects.toThrow(FormatError)
    },
  )
})
