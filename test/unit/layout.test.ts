import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Each folder may import from those before it, never back. */
const FOLDERS = ['assembly', 'bindings', 'src', 'kms', 'cli']

/** The command line tool uses the library as everyone does. */
const PUBLIC_ENTRIES = [
  'kms/server/index.ts',
  'kms/server/listen.node.ts',
  'kms/providers/aws.ts',
  'src/index.ts',
  'src/range.ts',
  'src/rewrap.ts',
  'src/keyrings/raw-ecdh.ts',
  'kms/index.ts',
  'kms/engine/index.ts',
  'kms/providers/local.ts',
  'kms/providers/passphrase.ts',
]

const MAY_IMPORT_NODE = [/^cli\//, /^kms\/store\//, /^kms\/providers\/local\.ts$/, /\.node\.ts$/]

/** Packages that a folder may name: the library has no run-time dependencies, its SQLite driver is an optional peer. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  // Bundled, in a chunk of its own.
  bindings: [
    '@noble/curves/abstract/weierstrass.js',
    '@noble/curves/ed25519.js',
    '@noble/curves/nist.js',
    '@noble/curves/secp256k1.js',
  ],
  kms: ['libsql', 'hash-wasm'],
  cli: ['commander'],
}

interface Import {
  readonly file: string
  readonly specifier: string
  /** Path of a relative import from the repository's root. */
  readonly target: string | undefined
}

function importsOf(folder: string): Import[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
  return files.flatMap((file) => {
    const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, file), 'utf8'))
    return importedFiles.map(({ fileName: specifier }) => {
      const target = specifier.startsWith('.') ? posix.join(dirname(file), specifier) : undefined
      return { file, specifier, target }
    })
  })
}

const topFolder = (path: string): string => path.split('/')[0] ?? ''

function mayImport(from: string, target: string): boolean {
  const folder = topFolder(target)
  if (folder === from) return true
  if (folder === 'build') return from === 'bindings'
  if (from === 'cli') return PUBLIC_ENTRIES.includes(target)
  return folder !== 'assembly' && FOLDERS.slice(0, FOLDERS.indexOf(from)).includes(folder)
}

describe.each(FOLDERS)('%s/', (folder) => {
  const imports = importsOf(folder)

  it('imports from the folders before it only', () => {
    const wrong = imports.filter(({ target }) => target !== undefined && !mayImport(folder, target))
    expect(wrong.map(({ file, specifier }) => `${file}: ${specifier}`)).toEqual([])
  })

  it('imports node: only where a file is for Node', () => {
    const wrong = imports.filter(({ file, specifier }) => {
      return /^(?:node|bun):/.test(specifier) && !MAY_IMPORT_NODE.some((allowed) => allowed.test(file))
    })
    expect(wrong.map(({ file, specifier }) => `${file}: ${specifier}`)).toEqual([])
  })

  it('names no package that its users would have to install', () => {
    const packages = imports.filter(({ specifier }) => !/^(?:\.|node:|bun:|#)/.test(specifier))
    const wrong = packages.filter(({ specifier }) => !PACKAGES[folder]?.includes(specifier))
    expect(wrong.map(({ file, specifier }) => `${file}: ${specifier}`)).toEqual([])
  })
})

it('sees the imports that it judges', () => {
  expect(importsOf('cli')).toContainEqual({ file: 'cli/main.ts', specifier: 'commander', target: undefined })
  expect(mayImport('src', 'kms/index.ts')).toBe(false)
  expect(mayImport('kms', 'src/index.ts')).toBe(true)
  expect(mayImport('cli', 'bindings/core.ts')).toBe(false)
})
