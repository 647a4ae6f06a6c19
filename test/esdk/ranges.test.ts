import { existsSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { algorithmSuite, UnsupportedError, WaxsealError } from '../../src/index.ts'
import { decryptRange, openMessage } from '../../src/range.ts'
import type { AlgorithmSuiteId } from '../../src/index.ts'
import type { OpenedMessage } from '../../src/range.ts'
import { decryptOptions, SOURCES, VectorFolder } from './esdk-vectors.ts'
import type { MessageEntry } from '../conformance/message-vectors.ts'

const KINDS: ReadonlySet<string> = new Set(['raw-aes', 'raw-rsa', 'multi', 'required-ec', 'static-dek'])

for (const [name, folder] of Object.entries(SOURCES).filter(([, url]) => existsSync(new URL('manifest.json', url)))) {
  describe(`ranges of the messages of the ${name}`, () => {
    const vectors = new VectorFolder(folder)
    const entries = vectors.entries.filter(({ kind }) => KINDS.has(kind))
    const opens = entries.filter(({ expect: expected }) => expected === 'ok')
    const ran = { framed: 0, signed: 0, 'non-framed': 0, fails: 0 }

    afterAll(() => {
      process.stdout.write(`ranges, ${name}: ${JSON.stringify(ran)} of ${String(entries.length)} messages\n`)
      expect(Object.values(ran).reduce((sum, count) => sum + count)).toBe(entries.length)
    })

    it.each(opens)('$kind $id: equal the slices of its plaintext, or are refused', async (entry) => {
      const message = vectors.bytes(entry.ciphertext)
      const plaintext = vectors.bytes(entry.plaintext ?? '')
      const keyring = vectors.keyring(entry.keyring)
      const options = decryptOptions(entry)
      if (entry.contentType === 'nonframed') {
        await expect(openMessage(keyring, message, options)).rejects.toThrow(UnsupportedError)
        ran['non-framed']++
        return
      }
      if (isSigned(entry)) await expect(openMessage(keyring, message, options)).rejects.toThrow(UnsupportedError)
      const opened = await openMessage(keyring, message, { ...options, signedStreams: 'allow' })
      expect(opened.size).toBe(plaintext.length)
      await checkRanges(opened, plaintext)
      opened.dispose()
      ran[isSigned(entry) ? 'signed' : 'framed']++
    })

    it.each(entries.filter((entry) => !opens.includes(entry)))('$kind $id: fail', async (entry) => {
      const reading = decryptRange(
        vectors.keyring(entry.keyring),
        vectors.bytes(entry.ciphertext),
        0,
        undefined,
        decryptOptions(entry),
      )
      await expect(reading).rejects.toThrow(WaxsealError)
      ran.fails++
    })
  })
}

function isSigned({ suite }: MessageEntry): boolean {
  return algorithmSuite(parseInt(suite ?? '', 16) as AlgorithmSuiteId).signatureCurve !== undefined
}

/** Around each frame's ends, and the whole. */
async function checkRanges(opened: OpenedMessage, plaintext: Uint8Array): Promise<void> {
  const { frameLength } = opened.header
  const { length } = plaintext
  const places = new Set([0, 1, Math.floor(length / 3), Math.floor(length / 2), length - 1, length])
  for (let frame = 0; frame <= Math.min(length / frameLength, 3); frame++) {
    for (const beside of [-1, 0, 1]) places.add(frame * frameLength + beside)
  }
  const inside = [...places].filter((place) => place >= 0 && place <= length)
  for (const start of inside) {
    for (const end of inside.filter((place) => place >= start)) {
      const range = await opened.read(start, end)
      expect(Buffer.from(range).equals(plaintext.subarray(start, end)), `${start} to ${end}`).toBe(true)
    }
  }
  expect(await opened.read(-7)).toEqual(plaintext.slice(-7))
  await expect(opened.read(0, length + 1)).rejects.toThrow(RangeError)
}
