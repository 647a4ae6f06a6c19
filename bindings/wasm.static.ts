import module from '../build/core.wasm'

/** The core as the runtime compiled it when it loaded the program: Cloudflare Workers compile nothing from bytes. */
export function compileCore(): WebAssembly.Module {
  return module
}
