import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type * as Inline from '../../bindings/wasm.inline.ts'
import type * as Waxseal from '../../src/index.ts'

const compiled = vi.hoisted(() => ({ module: undefined as WebAssembly.Module | undefined }))

// What a bundler for Workers makes of the import in wasm.static.ts.
vi.mock('../../build/core.wasm', () => ({
  get default() {
    return compiled.module
  },
}))

async function freshLibrary(): Promise<typeof Waxseal> {
  vi.resetModules()
  return import('../../src/index.ts')
}

function roundTrip({ rawAesKeyring, encryptSync, decryptSync }: typeof Waxseal): Uint8Array {
  const keyring = rawAesKeyring({ namespace: 'app', name: 'k1', wrappingKey: new Uint8Array(32) })
  return decryptSync(keyring, encryptSync(keyring, Uint8Array.of(1, 2, 3))).plaintext
}

afterEach(() => {
  vi.doUnmock('#wasm')
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('the core', () => {
  it('is the compiled file where the runtime compiles nothing from bytes', async () => {
    compiled.module = new WebAssembly.Module(readFileSync(new URL('../../build/core.wasm', import.meta.url)))
    vi.doMock('#wasm', () => import('../../bindings/wasm.static.ts'))
    const library = await freshLibrary()
    const compile = vi.spyOn(WebAssembly, 'Module')
    expect(roundTrip(library)).toEqual(Uint8Array.of(1, 2, 3))
    expect(compile).not.toHaveBeenCalled()
  })

  it('is the same in the string that other runtimes compile', async () => {
    const compile = vi.spyOn(WebAssembly, 'Module')
    const { compileCore } = await vi.importActual<typeof Inline>('../../bindings/wasm.inline.ts')
    compileCore()
    const [bytes] = compile.mock.calls[0] ?? []
    expect(bytes).toEqual(Uint8Array.from(readFileSync(new URL('../../build/core.wasm', import.meta.url))))
  })

  it('says what a page with a Content-Security-Policy needs, at each call, and once it has it, works', async () => {
    const library = await freshLibrary()
    const compile = vi.spyOn(WebAssembly, 'Module').mockImplementation(function () {
      throw new WebAssembly.CompileError("Refused to compile WebAssembly: 'unsafe-eval' is not allowed")
    })
    for (let i = 0; i < 2; i++) {
      expect(() => roundTrip(library)).toThrow(
        expect.objectContaining({
          name: 'WaxsealError',
          code: 'ERR_WAXSEAL_WASM',
          message: expect.stringContaining("'wasm-unsafe-eval'") as unknown,
          cause: expect.any(WebAssembly.CompileError) as unknown,
        }),
      )
    }
    compile.mockRestore()
    expect(roundTrip(library)).toEqual(Uint8Array.of(1, 2, 3))
  })
})

describe('an import', () => {
  it.each([
    'src/index.ts',
    'bindings/core.ts',
    'bindings/asymmetric.web.ts',
    'bindings/ecdsa.web.ts',
    'bindings/host.web.ts',
    'bindings/host-aes.web.ts',
    'kms/index.ts',
    'kms/engine/index.ts',
    'kms/store/memory.ts',
  ])('of %s compiles nothing and draws no randomness', async (file) => {
    vi.resetModules()
    const compile = vi.spyOn(WebAssembly, 'Module')
    const draw = vi.spyOn(globalThis.crypto, 'getRandomValues')
    expect(Object.keys((await import(/* @vite-ignore */ `../../${file}`)) as object).length).toBeGreaterThan(0)
    expect(compile).not.toHaveBeenCalled()
    expect(draw).not.toHaveBeenCalled()
  })
})
