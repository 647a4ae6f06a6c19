// `npm run check`: everything that is checked without running the library, side by side.
import { spawn } from 'node:child_process'
import { ensureCore, ensureInstalled, root } from './project.mjs'

const checks = [
  ['types', 'node_modules/typescript/bin/tsc', '--noEmit', '-p', '.'],
  ['eslint', 'node_modules/eslint/bin/eslint.js', '.'],
  ['prettier', 'node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  ['core.wasm is the committed one', 'scripts/core-hash.mjs'],
]

/**
 * Runs every check and prints the output of those that fail. Answers whether all passed.
 * @returns {Promise<boolean>}
 */
export async function runChecks() {
  const outcomes = await Promise.all(checks.map(([name, ...args]) => runCheck(name, args)))
  const failed = outcomes.filter((isOk) => !isOk).length
  console.log(`check: ${outcomes.length - failed} passed, ${failed} failed`)
  return failed === 0
}

function runCheck(name, args) {
  const started = performance.now()
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)${code === 0 ? '' : `\n${output}`}`)
      resolve(code === 0)
    })
  })
}

if (import.meta.filename === process.argv[1]) {
  ensureInstalled()
  ensureCore()
  if (!(await runChecks())) process.exitCode = 1
}
