import encoded from '../build/core.wasm.ts'

/** Compiles the core from the bytes that `assembly/build.mjs` wrote as characters, each 18 above its byte. */
export function compileCore(): WebAssembly.Module {
  const bytes = new Uint8Array(encoded.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = encoded.charCodeAt(i) - 18
  return new WebAssembly.Module(bytes)
}
