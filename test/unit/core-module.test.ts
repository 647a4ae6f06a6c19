import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const bytes = Uint8Array.from(readFileSync(new URL('../../build/core.wasm', import.meta.url)))
const module = new WebAssembly.Module(bytes)

// Section numbers of the WebAssembly binary format, §5.5.2.
const IMPORT_SECTION = 2
const MEMORY_SECTION = 5
const START_SECTION = 8

/** The sections of the module by number. */
function readSections(): Map<number, Uint8Array> {
  const sections = new Map<number, Uint8Array>()
  let at = 8
  const readUnsigned = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const id = bytes[at++] ?? 0
    const length = readUnsigned()
    sections.set(id, bytes.subarray(at, at + length))
    at += length
  }
  return sections
}

describe('the shape of core.wasm', () => {
  const sections = readSections()

  it('imports nothing', () => {
    expect(WebAssembly.Module.imports(module)).toEqual([])
    expect(sections.has(IMPORT_SECTION)).toBe(false)
  })

  it('runs nothing when it is instantiated', () => {
    expect(sections.has(START_SECTION)).toBe(false)
  })

  it('has one memory of 8 pages that cannot grow', () => {
    // one memory, with a maximum, 8 to 8 pages
    expect([...(sections.get(MEMORY_SECTION) ?? [])]).toEqual([1, 1, 8, 8])
    const { memory } = new WebAssembly.Instance(module).exports as { memory: WebAssembly.Memory }
    expect(memory.buffer.byteLength).toBe(8 * 65536)
    expect(() => memory.grow(1)).toThrow(RangeError)
  })

  it('carries no names, sources or other custom sections', () => {
    for (const name of ['name', 'sourceMappingURL', 'producers', 'target_features']) {
      expect(WebAssembly.Module.customSections(module, name), name).toEqual([])
    }
  })

  it('begins with zeros in all memory that can hold a secret', () => {
    const { memory, ioAddress } = new WebAssembly.Instance(module).exports as unknown as {
      memory: WebAssembly.Memory
      ioAddress: WebAssembly.Global
    }
    // constants stand below 16 KiB
    expect(new Uint8Array(memory.buffer).subarray(0x4000).every((byte) => byte === 0)).toBe(true)
    expect(Number(ioAddress.value)).toBeGreaterThan(0x4000)
  })

  it('exports its interface and nothing else', () => {
    const names = (kind: string): string[] =>
      WebAssembly.Module.exports(module)
        .filter((entry) => entry.kind === kind)
        .map((entry) => entry.name)
        .sort()
    expect(names('memory')).toEqual(['memory'])
    expect(names('table')).toEqual([])
    expect(names('global')).toEqual([
      'frameResultAddress',
      'headerResultAddress',
      'ioAddress',
      'ioBytes',
      'outAddress',
      'slotCount',
    ])
    expect(names('function')).toEqual(
      (
        'equal exportMessageKey gcmAad gcmAuthenticate gcmBegin gcmBeginFrame gcmDecrypt gcmEncrypt gcmOpen ' +
        'gcmSeal hkdf hmacBegin hmacEnd matchesCommitment openFrames putCount putEnd putField putStart ' +
        'readCommitment readFrameHead releaseKey scanBegin scanHeader sealFrames setKey setMessageKey shaBegin ' +
        'shaEnd shaResume shaSuspend shaUpdate unpadPkcs1Key unwrapKey unwrapKeyPadded wipeArena wrapKey ' +
        'wrapKeyPadded writeFrameHead writerTake'
      ).split(' '),
    )
  })

  it('exports globals that cannot be changed from outside', () => {
    for (const value of Object.values(new WebAssembly.Instance(module).exports)) {
      if (!(value instanceof WebAssembly.Global)) continue
      expect(() => {
        value.value = 0
      }).toThrow(TypeError)
    }
  })
})
