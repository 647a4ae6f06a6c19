import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { instantiateSync } from '@assemblyscript/loader'
import { beforeAll, describe, expect, it } from 'vitest'
import type { CoreExports } from '../../bindings/instance.ts'
import vectors from '../vectors/aes-gcm-specification.json' with { type: 'json' }

// The debug build keeps the compiler's assertions; the loader's abort names the file and line of one that fails.
const root = fileURLToPath(new URL('../..', import.meta.url))
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))

let core: CoreExports
let heap: Uint8Array
let io: number

beforeAll(() => {
  const asc = fileURLToPath(new URL('bin/asc.js', import.meta.resolve('assemblyscript/package.json')))
  execFileSync(process.execPath, [asc, '--config', 'asconfig.json', '--target', 'debug'], { cwd: root, stdio: 'pipe' })
  const module = new WebAssembly.Module(readFileSync(`${root}/build/debug.wasm`))
  core = instantiateSync(module, {}).exports as unknown as CoreExports
  heap = new Uint8Array(core.memory.buffer)
  io = Number(core.ioAddress.value)
})

describe('the debug build', () => {
  it('seals and opens the test cases of the GCM specification without a failed assertion', () => {
    for (const { key, iv, aad, plaintext, ciphertext, tag } of vectors.cases) {
      if (iv.length !== 24) continue
      heap.set(bytes(key), io)
      const generation = core.setKey(3, key.length / 2)
      heap.set(bytes(iv + '00000000' + aad + plaintext), io)
      expect(core.gcmSeal(3, generation, aad.length / 2, plaintext.length / 2)).toBe(1)
      const start = io + 16 + aad.length / 2
      const sealed = Buffer.from(heap.slice(start, start + plaintext.length / 2 + 16)).toString('hex')
      expect(sealed).toBe(ciphertext + tag)
      expect(core.gcmOpen(3, generation, aad.length / 2, plaintext.length / 2)).toBe(1)
      expect(Buffer.from(heap.slice(start, start + plaintext.length / 2)).toString('hex')).toBe(plaintext)
      core.releaseKey(3, generation)
      expect(core.gcmOpen(3, generation, 0, 0)).toBe(-1)
    }
  })
})
