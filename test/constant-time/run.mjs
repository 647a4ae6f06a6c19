// The machine proof that the core is constant-time: build/core.wasm → wasm2c → C → gcc → valgrind's memcheck with
// every secret marked undefined. A branch, an address or a division that depends on a secret is a report, and a
// report fails its check. A twin with known leaks shows first that the check finds them.
//
//   node test/constant-time/run.mjs
//
// What it says nothing about: the machine code that a JavaScript engine makes of the same module.

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { source as twinSource } from './twin.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const build = join(root, 'build', 'constant-time')

/** Exports that are given nothing secret: they read and write headers, heads of frames and zeros. */
const PUBLIC = new Set(
  'wipeArena readFrameHead writeFrameHead scanBegin scanHeader putStart putCount putField putEnd writerTake'.split(' '),
)

let passed = 0
let failed = 0

function report(isGood, text) {
  if (isGood) passed++
  else failed++
  console.log(`${isGood ? 'ok  ' : 'FAIL'}  ${text}`)
}

function run(command, args, options = {}) {
  return execFileSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', ...options })
}

function has(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
}

function installTools() {
  const isThere = has('gcc') && has('valgrind') && existsSync('/usr/include/simde/wasm/simd128.h')
  if (!isThere) {
    const packages = ['gcc', 'libc6-dev', 'valgrind', 'libsimde-dev']
    if (process.getuid?.() !== 0) throw new Error(`install these Debian packages first: ${packages.join(' ')}`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    run('apt-get', ['-qq', 'update'], { env })
    run('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', ...packages], { env })
  }
  if (!existsSync(join(here, 'node_modules', 'wabt'))) run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here })
}

async function compileTwin() {
  const { default: asc } = await import('assemblyscript/asc')
  const options = {
    optimizeLevel: 3,
    noAssert: true,
    runtime: 'stub',
    use: 'abort=',
    enable: 'simd',
    initialMemory: 1,
    maximumMemory: 1,
  }
  const { error, binary, stderr } = await asc.compileString(twinSource, options)
  if (error !== null) throw new Error(stderr.toString())
  return binary
}

/**
 * wasm2c, and hooks in its output (taint.h): the one bit that a comparison of vectors ends in; divisions; and the
 * conditions of `if`, `br_if`, `br_table` and `select`, which an engine may turn into branches where gcc does not.
 * Answers how often each was found.
 */
function translate(name, wasm) {
  const file = join(build, `${name}.wasm`)
  writeFileSync(file, wasm)
  run(process.execPath, [join(here, 'node_modules', 'wabt', 'bin', 'wasm2c'), file, '-n', name, '-o', `${file}.c`])
  const found = { anyTrue: 0, division: 0, condition: 0 }
  const hooked = readFileSync(`${file}.c`, 'utf8')
    .replace('#include <simde/wasm/simd128.h>', '$&\n#include "taint.h"')
    .replace(/= simde_wasm_v128_any_true\(/g, () => (found.anyTrue++, '= declassify_any_true('))
    .replace(/\b(if|switch) \((var_\w+)\)/g, (_, word, value) => (found.condition++, `${word} (CONDITION(${value}))`))
    .replace(/= (var_\w+) \? /g, (_, value) => (found.condition++, `= CONDITION(${value}) ? `))
    .replace(/= (?:I32_|I64_)?(?:DIV|REM)_[SU]\(/g, (text) => (found.division++, text.replace('= ', '= CHECKED_')))
  writeFileSync(`${file}.c`, hooked)
  return found
}

/** How the C is compiled: see CONDITION in taint.h for the last. */
const BUILDS = { O2: ['-O2'], O3: ['-O3'], conditions: ['-O2', '-DCHECK_CONDITIONS'] }

/** Compiles and runs the checks of `name`.c; answers their lines. */
function check(name, variant) {
  const program = join(build, `${name}-${variant}`)
  const sources = [join(here, `${name}.c`), join(build, `${name}.wasm.c`)]
  // SSSE3, because a swizzle must be the register permute that it is in an engine
  const flags = ['-std=gnu11', '-w', '-g', ...BUILDS[variant], '-mssse3', '-I', here, '-I', build]
  run('gcc', [...flags, ...sources, '-lm', '-o', program])
  const log = `${program}.log`
  const result = spawnSync('valgrind', ['-q', '--error-limit=no', `--log-file=${log}`, program], { encoding: 'utf8' })
  if (result.error) throw result.error
  if (result.status !== 0)
    throw new Error(
      `${name} ended with ${result.status ?? result.signal}: ${result.stdout}${readFileSync(log, 'utf8')}`,
    )
  return { lines: result.stdout.trimEnd().split('\n'), log }
}

function checkTwin(variant) {
  for (const line of check('twin', variant).lines) {
    const [verdict, name] = line.split(/\s+/)
    const expected = name.startsWith('leaky') ? 'leak' : 'ok'
    report(
      verdict === expected,
      `${variant}: twin, ${name}: ${expected === 'leak' ? 'its leak is found' : 'no report'}`,
    )
  }
}

function checkCore(variant) {
  const { lines, log } = check('core', variant)
  const covered = new Set(PUBLIC)
  let hasReports = false
  for (const line of lines) {
    const [, verdict, name] = /^(ok|leak|wrong)\s+(.*)$/.exec(line) ?? []
    if (verdict === undefined) {
      console.log(line)
      continue
    }
    for (const covers of name.split(':')[0].split(' ')) covered.add(covers)
    hasReports ||= verdict === 'leak'
    report(verdict === 'ok', `${variant}: core, ${name}`)
  }
  if (hasReports) console.log(readFileSync(log, 'utf8').slice(0, 20_000))
  return covered
}

const started = Date.now()
mkdirSync(build, { recursive: true })
installTools()

translate('twin', await compileTwin())
if (!existsSync(join(root, 'build', 'core.wasm'))) run(process.execPath, [join(root, 'assembly', 'build.mjs')])
const core = readFileSync(join(root, 'build', 'core.wasm'))
const found = translate('core', core)

// The revealed bit must be the comparison of tags and nothing else.
const users = readdirSync(join(root, 'assembly'), { recursive: true })
  .filter((file) => file.endsWith('.ts'))
  .flatMap(
    (file) =>
      readFileSync(join(root, 'assembly', file), 'utf8')
        .match(/any_true|all_true|bitmask/g)
        ?.map(() => file) ?? [],
  )
report(users.join() === 'gcm.ts' && found.anyTrue === 1, 'one vector is compared, the tag in gcm.ts')

for (const variant of Object.keys(BUILDS)) {
  checkTwin(variant)
  const covered = checkCore(variant)
  const missing = WebAssembly.Module.exports(new WebAssembly.Module(core))
    .filter(({ kind, name }) => kind === 'function' && !covered.has(name))
    .map(({ name }) => name)
  report(
    missing.length === 0,
    `${variant}: every export is checked or known as public${missing.length === 0 ? '' : `: not ${missing.join(', ')}`}`,
  )
}

console.log(
  `constant time: ${found.condition} conditions and ${found.division} divisions in ${core.length} bytes of module, ${((Date.now() - started) / 1000).toFixed(0)} s`,
)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
