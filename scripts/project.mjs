// Shared by the npm scripts. Plain JavaScript over node: only, because it runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** @type {string} Absolute path of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const CORE_SOURCES = ['assembly', 'asconfig.json']
const PACKAGE_SOURCES = ['bindings', 'src', 'kms', 'cli', 'rollup.config.mjs', 'package.json', 'tsconfig.json']
const CORE_OUTPUTS = ['build/core.wasm', 'build/core.wasm.ts']
const PACKAGE_OUTPUTS = ['dist/index.js', 'dist/index.d.ts', 'dist/cli.js']

/**
 * Runs a program in the repository and throws when it fails. A quiet run shows its output only then.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ quiet?: boolean, cwd?: string, env?: Record<string, string | undefined> }} [options]
 * @returns {void}
 */
export function run(command, args, { quiet = false, cwd = root, env = process.env } = {}) {
  const stdio = ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit']
  const result = spawnSync(command, args, { cwd, env, stdio, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (result.status === 0) return
  if (quiet) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`)
  const reason = result.error?.message ?? (result.signal ? `ended by ${result.signal}` : `exit code ${result.status}`)
  throw new Error(`${[command, ...args].join(' ')}: ${reason}`)
}

/**
 * Runs a JavaScript file, or a program of an installed package, under this Node.
 * @param {string} file
 * @param {readonly string[]} [args]
 * @param {Parameters<typeof run>[2]} [options]
 * @returns {void}
 */
export function runNode(file, args = [], options = {}) {
  run(process.execPath, [file, ...args], options)
}

/**
 * Runs npm: the one that started this script, where there is one.
 * @param {readonly string[]} args
 * @param {Parameters<typeof run>[2]} [options]
 * @returns {void}
 */
export function runNpm(args, options = {}) {
  const npm = process.env.npm_execpath
  if (npm?.endsWith('.js')) runNode(npm, args, options)
  else run('npm', args, options)
}

/**
 * Installs the pinned development tools unless exactly those are there. Answers whether it had to.
 * @param {Parameters<typeof run>[2]} [options]
 * @returns {boolean}
 */
export function ensureInstalled(options) {
  const { devDependencies } = readJson('package.json')
  const isInstalled = Object.entries(devDependencies).every(([name, version]) => {
    const manifest = `node_modules/${name}/package.json`
    return existsSync(join(root, manifest)) && readJson(manifest).version === version
  })
  if (isInstalled) return false
  runNpm(['install', '--include=dev', '--no-audit', '--no-fund'], options)
  return true
}

/**
 * Installs the tools of a folder with a `package.json` of its own, which are too large for everybody's `npm install`,
 * unless exactly the pinned ones are there. Answers whether it had to.
 * @param {string} folder
 * @param {Parameters<typeof run>[2]} [options]
 * @returns {boolean}
 */
export function ensureTools(folder, options = { quiet: true }) {
  const { dependencies } = readJson(`${folder}/package.json`)
  const isInstalled = Object.entries(dependencies).every(([name, pin]) => {
    const manifest = `${folder}/node_modules/${name}/package.json`
    // A pin may be an alias, `npm:name@version`.
    return existsSync(join(root, manifest)) && readJson(manifest).version === pin.split('@').at(-1)
  })
  if (isInstalled) return false
  const flags = ['--no-package-lock', '--no-audit', '--no-fund']
  runNpm(['install', ...flags], { ...options, cwd: join(root, folder) })
  return true
}

/**
 * Compiles the WebAssembly core unless it is that of the present sources. Answers whether it had to.
 * @param {Parameters<typeof run>[2]} [options]
 * @returns {boolean}
 */
export function ensureCore(options = { quiet: true }) {
  return ensureBuilt('core', CORE_SOURCES, CORE_OUTPUTS, () => runNode('assembly/build.mjs', [], options))
}

/**
 * Builds `dist/` unless it is that of the present sources. Answers whether it had to.
 * @param {Parameters<typeof run>[2]} [options]
 * @returns {boolean}
 */
export function ensurePackage(options = { quiet: true }) {
  ensureCore(options)
  return ensureBuilt('package', [...CORE_SOURCES, ...PACKAGE_SOURCES], PACKAGE_OUTPUTS, () => bundle(options))
}

/**
 * Builds `dist/` from the sources and the compiled core.
 * @param {Parameters<typeof run>[2]} [options]
 * @returns {void}
 */
export function bundle(options = {}) {
  rmSync(join(options.cwd ?? root, 'dist'), { recursive: true, force: true })
  runNode('node_modules/rollup/dist/bin/rollup', ['--config', '--silent'], options)
}

/**
 * Records that `name` was built from the present sources.
 * @param {'core' | 'package'} name
 * @returns {void}
 */
export function recordBuild(name) {
  const sources = name === 'core' ? CORE_SOURCES : [...CORE_SOURCES, ...PACKAGE_SOURCES]
  mkdirSync(join(root, 'build'), { recursive: true })
  writeFileSync(join(root, `build/${name}.sources`), digest(sources))
}

function ensureBuilt(name, sources, outputs, build) {
  const stamp = join(root, `build/${name}.sources`)
  const isFresh = existsSync(stamp) && readFileSync(stamp, 'utf8') === digest(sources)
  if (isFresh && outputs.every((file) => existsSync(join(root, file)))) return false
  build()
  recordBuild(name)
  return true
}

function digest(sources) {
  const hash = createHash('sha256')
  for (const file of sources.flatMap(filesUnder).sort())
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function filesUnder(path) {
  if (!existsSync(join(root, path))) return []
  const entries = path.includes('.')
    ? undefined
    : readdirSync(join(root, path), { withFileTypes: true, recursive: true })
  if (entries === undefined) return [path]
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1))
}

/**
 * @param {string} file
 * @returns {any}
 */
export function readJson(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'))
}
