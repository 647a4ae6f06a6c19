import { existsSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { WaxsealError } from '../../src/index.ts'
import { decryptEntry, inspectEntry, SOURCES, VectorFolder } from './esdk-vectors.ts'
import type { MessageEntry } from '../conformance/message-vectors.ts'

const KINDS: ReadonlySet<string> = new Set([
  'raw-aes',
  'raw-rsa',
  'multi',
  'required-ec',
  'static-dek',
  'raw-ecdh',
  'hierarchy',
])

for (const [name, folder] of Object.entries(SOURCES).filter(([, url]) => existsSync(new URL('manifest.json', url)))) {
  describe(`messages of the ${name}`, () => {
    const vectors = new VectorFolder(folder)
    const entries = vectors.entries.filter(({ kind }) => KINDS.has(kind))
    let ran = 0

    afterAll(() => {
      process.stdout.write(`${name}: ${String(ran)} of ${String(entries.length)} messages ran\n`)
      expect(ran).toBe(entries.length)
    })

    for (const kind of KINDS) {
      const opens = entries.filter((entry) => entry.kind === kind && entry.expect === 'ok')
      const fails = entries.filter((entry) => entry.kind === kind && entry.expect === 'fail')

      it.each(opens)('$kind $id opens', async (entry) => {
        const results = await decryptEntry(vectors, entry)
        ran += 1
        const plaintext = vectors.bytes(entry.plaintext ?? '')
        for (const [way, result] of Object.entries(results)) expect([way, result]).toEqual([way, plaintext])
        expect(inspectEntry(vectors, entry)).toEqual(manifestHeader(entry))
      })

      it.each(fails)('$kind $id fails', async (entry) => {
        const results = await decryptEntry(vectors, entry)
        ran += 1
        const { bytes } = results
        expect(bytes).toBeInstanceOf(WaxsealError)
        if (entry.code !== undefined) expect(bytes).toHaveProperty('code', entry.code)
        const { code } = bytes as WaxsealError
        for (const [way, result] of Object.entries(results)) expect(result, way).toHaveProperty('code', code)
      })
    }
  })
}

function manifestHeader(entry: MessageEntry): Partial<MessageEntry> {
  const {
    suite = null,
    contentType = 'framed',
    frameLength = 0,
    encryptedDataKeys = 0,
    headerEncryptionContext = {},
  } = entry
  return { suite, contentType, frameLength, encryptedDataKeys, headerEncryptionContext }
}
