// `npm run test:reproducible`: builds the project in two folders of different names and compares every byte of the
// compiled core and of dist/ with each other, and the core with the committed hash.
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { ensureInstalled, root, runNode } from './project.mjs'

const NOT_SOURCES = new Set(['.git', 'build', 'dist', 'coverage'])
const CORE = 'build/core.wasm'

ensureInstalled()
const parent = mkdtempSync(join(tmpdir(), 'waxseal-reproducible-'))
const outcomes = []
try {
  const folders = [join(parent, 'a'), join(parent, 'folder with a longer name')]
  copySources(root, folders[0])
  copySources(folders[0], folders[1])
  const [first, second] = folders.map(buildIn)
  compare('both folders give the same files', [...first.keys()].join('\n'), [...second.keys()].join('\n'))
  for (const [file, hash] of first) compare(`${file} is the same in both folders`, hash, second.get(file))
  const committed = readFileSync(join(root, 'assembly/core.wasm.sha256'), 'utf8').slice(0, 64)
  compare('core.wasm has the committed hash', first.get(CORE), committed)
} finally {
  rmSync(parent, { recursive: true, force: true })
}
const failed = outcomes.filter((isOk) => !isOk).length
console.log(`reproducible: ${outcomes.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

function copySources(from, to) {
  const isSource = (path) =>
    basename(path) !== 'node_modules' && !(dirname(path) === from && NOT_SOURCES.has(basename(path)))
  cpSync(from, to, { recursive: true, filter: isSource })
}

function buildIn(folder) {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  runNode('scripts/build.mjs', [], { quiet: true, cwd: folder })
  const files = readdirSync(join(folder, 'dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  return new Map([CORE, ...files.sort()].map((file) => [file, sha256(join(folder, file))]))
}

function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

function compare(what, actual, expected) {
  const isEqual = actual !== undefined && actual === expected
  outcomes.push(isEqual)
  if (!isEqual) console.error(`FAILED ${what}\n  ${actual}\n  ${expected}`)
}
