// `npm run test:examples`: does in the packed package what the examples' READMEs say, word for word. A block `sh` must
// succeed, and print what a block `text` behind it says; a block `sh server` goes on running until the README ends.
// `npm run test:examples -- NAME…` runs some; `--screenshot` draws docs/web-form.png anew.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { ensureInstalled, ensurePackage, ensureTools, root, runNpm } from '../../scripts/project.mjs'
import { startServer, stopServers } from './server.mjs'
import { tryWebForm } from './web-form.mjs'

const RUNTIMES = ['deno', 'bun']
/** Runtimes with an SQLite of their own; Node 20, which has none, runs the example of a Node server. */
const WITH_SQLITE = {
  'Node 22': ['node22/bin/node'],
  'Node 24': ['node24/bin/node'],
  'Node 26': ['node26/bin/node'],
  Deno: ['.bin/deno', 'run', '--allow-all'],
  Bun: ['.bin/bun'],
}
const NOT_EXAMPLES = new Set(['node_modules', 'data', '.wrangler', '.dev.vars'])

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const outcomes = []

ensureInstalled()
ensurePackage()
ensureTools('test/runtimes')
const folder = mkdtempSync(join(tmpdir(), 'waxseal-examples-'))
const env = {
  ...process.env,
  PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
  XDG_CONFIG_HOME: join(folder, 'home'),
  DENO_DIR: join(folder, 'home/deno'),
  DENO_NO_UPDATE_CHECK: '1',
  WRANGLER_SEND_METRICS: 'false',
  NO_COLOR: '1',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
}
try {
  prepare()
  runFirstMessage()
  runEmbeddedKms()
  for (const name of exampleNames()) await runExample(name)
} finally {
  await stopServers()
  rmSync(folder, { recursive: true, force: true })
}
const failed = outcomes.filter((isOk) => !isOk).length
console.log(`examples: ${outcomes.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 && outcomes.length > 0 ? 0 : 1

/** The packed package with the examples in it, where they are in the repository, and the runtimes on the path. */
function prepare() {
  for (const name of ['bin', 'home', 'waxseal']) mkdirSync(join(folder, name))
  for (const name of RUNTIMES)
    symlinkSync(join(root, 'test/runtimes/node_modules/.bin', name), join(folder, 'bin', name))
  runNpm(['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { quiet: true })
  const tarball = join(
    folder,
    readdirSync(folder).find((file) => file.endsWith('.tgz')),
  )
  spawnSync('tar', ['-xzf', tarball, '-C', join(folder, 'waxseal'), '--strip-components=1'])
  const filter = (path) => !NOT_EXAMPLES.has(basename(path))
  cpSync(join(root, 'examples'), join(folder, 'waxseal/examples'), { recursive: true, filter })
}

function exampleNames() {
  const all = readdirSync(join(root, 'examples'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return all.map((entry) => entry.name).filter((name) => names.length === 0 || names.includes(name))
}

/** The one that `npm start` runs: it needs a peer that only the repository has. */
function runFirstMessage() {
  if (names.length > 0 && !names.includes('first-message')) return
  const { status, stdout, stderr } = spawnSync(process.execPath, ['examples/first-message.mjs'], {
    cwd: root,
    encoding: 'utf8',
  })
  check(status === 0 && /^comparisons: 2 passed, 0 failed$/m.test(stdout), 'first-message.mjs', stdout + stderr)
}

function runEmbeddedKms() {
  if (names.length > 0 && !names.includes('embedded-kms')) return
  cpSync(join(root, 'test/examples/embedded-kms.mjs'), join(folder, 'waxseal/embedded-kms.mjs'))
  for (const [runtime, [program, ...args]] of Object.entries(WITH_SQLITE)) {
    const file = join(root, 'test/runtimes/node_modules', program)
    const options = { cwd: join(folder, 'waxseal'), env, encoding: 'utf8' }
    const { status, stdout, stderr } = spawnSync(file, [...args, 'embedded-kms.mjs'], options)
    check(status === 0 && stdout === '1,2,3\n', `embedded KMS on ${runtime}`, `${stdout}${stderr}`)
  }
}

async function runExample(name) {
  const cwd = join(folder, 'waxseal/examples', name)
  const readme = readFileSync(join(cwd, 'README.md'), 'utf8')
  let printed = ''
  for (const [, language, isServer, code] of readme.matchAll(/^```(\w+)( server)?\n([^]*?)^```$/gm)) {
    const title = `${name}: ${code.trim().split('\n').join('; ')}`
    if (language === 'text')
      check(printed.trimEnd().endsWith(code.trimEnd()), `${name} prints what its README says`, printed)
    else if (isServer) await attempt(title, () => startServer(code, { cwd, env }))
    else printed = runBlock(title, code, cwd)
  }
  if (name === 'web-form') await tryInBrowser()
  await stopServers()
}

function runBlock(title, code, cwd) {
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', code], {
    cwd,
    env,
    encoding: 'utf8',
  })
  check(status === 0, title, stdout + stderr)
  return stdout
}

async function tryInBrowser() {
  const isWanted = process.argv.includes('--screenshot')
  mkdirSync(join(root, 'build'), { recursive: true })
  const picture = join(root, isWanted ? 'docs/web-form.png' : 'build/web-form.png')
  if (!existsSync('/usr/bin/chromium')) check(false, 'web-form: in Chromium', 'install the Debian package chromium')
  else await attempt('web-form: in Chromium', () => tryWebForm({ picture, check }))
}

async function attempt(title, act) {
  try {
    await act()
    check(true, title)
  } catch (error) {
    check(false, title, error.stack)
  }
}

function check(isOk, title, output = '') {
  outcomes.push(isOk)
  console.log(`${isOk ? 'ok    ' : 'FAILED'} ${title}`)
  if (!isOk && output) console.log(output)
}
