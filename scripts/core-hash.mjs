// Compares the compiled core with the hash that is committed.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './project.mjs'

const compiled = createHash('sha256')
  .update(readFileSync(join(root, 'build/core.wasm')))
  .digest('hex')
const committed = readFileSync(join(root, 'assembly/core.wasm.sha256'), 'utf8').slice(0, 64)
if (compiled !== committed) {
  console.error(`build/core.wasm is ${compiled}, assembly/core.wasm.sha256 says ${committed}`)
  process.exitCode = 1
}
