// Builds build/core.wasm and build/core.wasm.ts (the module as a string, see bindings/wasm.inline.ts), and compares
// the module with the committed hash. `node assembly/build.mjs --update` writes that hash instead.

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'
import binaryen from 'assemblyscript/binaryen'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const build = join(root, 'build')
const hashFile = join(root, 'assembly', 'core.wasm.sha256')

async function compile(target) {
  const messages = []
  const { error } = await asc.main(['--config', 'asconfig.json', '--target', target, '--baseDir', root, '--noColors'], {
    stdout: { write: (text) => messages.push(text) },
    stderr: { write: (text) => messages.push(text) },
  })
  // AS112 warns of v128 in the signatures of functions that the module does not export.
  const reports = messages
    .join('')
    .split(/\n(?=(?:WARNING|ERROR|PEDANTIC) )/)
    .filter((text) => !/^\s*(WARNING AS112\b|$)/.test(text))
  if (error !== null || reports.length > 0)
    throw new Error(`asc: ${reports.join('\n')}${error === null ? '' : error.message}`)
}

/**
 * Gives every constant vector of a function a local that is set once at its start. binaryen puts the constant at
 * every use instead, and V8 from 13 on builds it anew each time; it is also 18 bytes each time.
 */
function hoistVectors(text) {
  return text
    .split(/^(?= \(func )/m)
    .map((part) => {
      const names = new Map()
      const body = part.replace(/\(?v128\.const i32x4((?: 0x[0-9a-f]{8}){4})\)?/g, (_, lanes) => {
        if (!names.has(lanes)) names.set(lanes, `$vector${names.size}`)
        return `local.get ${names.get(lanes)}`
      })
      if (names.size === 0) return part
      const locals = [...names.values()].map((name) => `  (local ${name} v128)\n`).join('')
      const sets = [...names].map(([lanes, name]) => `  v128.const i32x4${lanes}\n  local.set ${name}\n`).join('')
      const head = /^ \(func [^\n]*\n(?:  \(local [^\n]*\n)*/.exec(body)[0]
      return head + locals + sets + body.slice(head.length)
    })
    .join('')
}

/**
 * The bytes as a string of the characters U+0000 … U+00FF, each 18 above its byte: of all rotations one of those with which
 * the module is smallest in a bundle that escapes what is not ASCII, after gzip.
 */
function encode(bytes) {
  return JSON.stringify(Array.from(bytes, (byte) => String.fromCharCode((byte + 18) & 255)).join(''))
}

mkdirSync(build, { recursive: true })
await compile('release')
const module = binaryen.parseText(hoistVectors(readFileSync(join(build, 'release.wat'), 'utf8')))
module.setFeatures(
  binaryen.Features.SIMD128 |
    binaryen.Features.BulkMemory |
    binaryen.Features.BulkMemoryOpt |
    binaryen.Features.MutableGlobals |
    binaryen.Features.SignExt |
    binaryen.Features.NontrappingFPToInt,
)
if (!module.validate()) throw new Error('the module is not valid after hoistVectors')
const bytes = module.emitBinary()
writeFileSync(join(build, 'core.wasm'), bytes)
writeFileSync(join(build, 'core.wasm.ts'), `const encoded: string = ${encode(bytes)}\n\nexport default encoded\n`)

const hash = createHash('sha256').update(bytes).digest('hex')
if (process.argv.includes('--update')) writeFileSync(hashFile, `${hash}  core.wasm\n`)
const committed = readFileSync(hashFile, 'utf8').slice(0, 64)
if (hash !== committed) {
  console.error(
    `core.wasm is ${hash}, assembly/core.wasm.sha256 says ${committed}.\nIf the change is meant: npm run build:core -- --update`,
  )
  process.exitCode = 1
} else {
  console.log(`core.wasm: ${bytes.length} bytes, sha256 ${hash}`)
}
