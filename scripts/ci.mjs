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
  'test:hsm',
  'test:kms-crash',
  'test:kms-load',
  'test:readme',
  'test:awscli',
  'test:examples',
  'test:runtimes -- --all',
  'test:durable-object',
  'test:listeners',
  'test:reproducible',
  'test:constant-time',
  'start',
]

/** What each script prints about itself, perhaps with its name before it. */
const COUNTS = /^(?:[\w-]+: )?(\d+) passed, (\d+) failed$/gm

/** What the scripts say of a failure, in colours or not. */
const FAILURE = /^.*(?:FAIL|\u00d7|AssertionError|Error:).*$/gm
const COLOURS = /\u001b\[[\d;]*m/g
const SHOWN_FAILURES = 30

let passed = 0
let failed = 0
const failures = []
for (const script of SCRIPTS) {
  console.log(`\n=== npm run ${script}`)
  const started = performance.now()
  const { code, output } = await runScript(script)
  const counts = [...output.matchAll(COUNTS)]
  const sum = (group) => counts.reduce((total, match) => total + Number(match[group]), 0)
  passed += sum(1)
  // A script that ends badly, or that counts nothing, has failed whatever else it says.
  const failedHere = Math.max(sum(2), code === 0 && sum(1) > 0 ? 0 : 1)
  failed += failedHere
  if (failedHere > 0) {
    const lines = output.replace(COLOURS, '').match(FAILURE) ?? []
    const ending = `${script}: ${failedHere} failed, exit code ${code}, ${sum(1)} passed`
    failures.push(ending, ...lines.slice(0, SHOWN_FAILURES))
  }
  console.log(`=== ${script}: exit code ${code}, ${((performance.now() - started) / 1000).toFixed(0)} s`)
}
if (failures.length > 0) console.log(`\n=== What failed\n${failures.join('\n')}\n`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function runScript(script) {
  const child = spawn('npm', ['run', '--silent', ...script.split(' ')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    from.setEncoding('utf8').on('data', (text) => {
      output += text
      to.write(text)
    })
  }
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: error.message, output }))
    child.on('close', (code) => resolve({ code, output }))
  })
}
