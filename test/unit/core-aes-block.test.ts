import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'
import { describe, expect, it } from 'vitest'
import { fromHex, readVectors, toHex } from './core-data.ts'

const ASSEMBLY = fileURLToPath(new URL('../../assembly/', import.meta.url))

// The core exports modes only. This entry gives the single block of FIPS 197 from the same sources: the key at IO,
// the block behind it.
const ENTRY = `
import { decryptBlock, encryptBlock, expandKey, roundsFor } from './aes'
import { IO } from './memory'
export const io: u32 = <u32>IO
export function cipher(keyBytes: u32): void {
  expandKey(IO, keyBytes)
  v128.store(IO + 32, encryptBlock(roundsFor(keyBytes), v128.load(IO + 32)))
}
export function inverseCipher(keyBytes: u32): void {
  expandKey(IO, keyBytes)
  v128.store(IO + 32, decryptBlock(roundsFor(keyBytes), v128.load(IO + 32)))
}
`

interface BlockModule {
  readonly memory: WebAssembly.Memory
  readonly io: WebAssembly.Global
  readonly cipher: (keyBytes: number) => void
  readonly inverseCipher: (keyBytes: number) => void
}

async function compile(): Promise<BlockModule> {
  let binary: Uint8Array | undefined
  const options = '-O --noAssert --runtime stub --use abort= --enable simd --initialMemory 8 --maximumMemory 8'
  const messages: string[] = []
  const stderr = { write: (text: string): void => void messages.push(text) }
  const { error } = await asc.main(['block.ts', '--outFile', 'block.wasm', ...options.split(' ')], {
    readFile(name) {
      if (name === 'block.ts') return ENTRY
      try {
        return readFileSync(ASSEMBLY + name, 'utf8')
      } catch {
        return null
      }
    },
    writeFile(name, contents) {
      if (name === 'block.wasm' && typeof contents !== 'string') binary = contents
    },
    listFiles: () => [],
    stderr,
  })
  if (error !== null || binary === undefined) throw new Error(`asc: ${messages.join('')}`)
  const module = new WebAssembly.Module(Uint8Array.from(binary))
  return new WebAssembly.Instance(module).exports as unknown as BlockModule
}

const block = await compile()

function apply(operation: (keyBytes: number) => void, key: string, input: string): string {
  const memory = new Uint8Array(block.memory.buffer, Number(block.io.value), 48)
  memory.set(fromHex(key))
  memory.set(fromHex(input), 32)
  operation(key.length / 2)
  return toHex(memory.subarray(32, 48))
}

describe('AES, one block (FIPS 197, SP 800-38A)', () => {
  const { cases } = readVectors('aes-block.json') as {
    cases: readonly { source: string; key: string; plaintext: string; ciphertext: string }[]
  }

  it.each(cases)('$source', ({ key, plaintext, ciphertext }) => {
    expect(apply(block.cipher, key, plaintext)).toBe(ciphertext)
    expect(apply(block.inverseCipher, key, ciphertext)).toBe(plaintext)
  })
})
