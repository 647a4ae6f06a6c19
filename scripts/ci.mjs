// Runs every part of the project's tests and prints, as the last line, how many checks passed and failed in all.
import { spawn } from 'node:child_process'
import { root } from './project.mjs'

/** Of the runtimes none may be missing. */
const SCRIPTS = [
  'test',
  'test:cli',
  'test:package',
  'size',
  'test:memory',
  'test:readme',
  'test:examples',
  'test:runtimes -- --all',
  'test:reproducible',
  'test:constant-time',
  'start',
]

/** What each script prints about itself, perhaps with its name before it. */
const COUNTS = /^(?:[\w-]+: )?(\d+) passed, (\d+) failed$/gm

let passed = 0
let failed = 0
for (const script of SCRIPTS) {
  console.log(`\n=== npm run ${script}`)
  const started = performance.now()
  const { code, output } = await runScript(script)
  const counts = [...output.matchAll(COUNTS)]
  const sum = (group) => counts.reduce((total, match) => total + Number(match[group]), 0)
  passed += sum(1)
  // A script that ends badly, or that counts nothing, has failed whatever else it says.
  failed += Math.max(sum(2), code === 0 && sum(1) > 0 ? 0 : 1)
  console.log(`=== ${script}: exit code ${code}, ${((performance.now() - started) / 1000).toFixed(0)} s`)
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function runScript(script) {
  const child = spawn('npm', ['run', '--silent', ...script.split(' ')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    process.stdout.write(text)
  })
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: error.message, output }))
    child.on('close', (code) => resolve({ code, output }))
  })
}
