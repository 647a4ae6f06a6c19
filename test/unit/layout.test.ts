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
  'kms/key-stores/pkcs11.node.ts',
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
    '@noble/hashes/hmac.js',
    '@noble/hashes/sha2.js',
    '@noble/post-quantum/ml-dsa.js',
    '@noble/post-quantum/ml-kem.js',
  ],
  kms: ['libsql', 'hash-wasm'],
  cli: ['commander', 'yaml'],
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

/** Files that a file loads when it is loaded: neither types nor what is imported later. */
function loadedBy(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.ESNext)
  return source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return []
    if (isOfTypes(statement) || statement.moduleSpecifier === undefined) return []
    const specifier = (statement.moduleSpecifier as ts.StringLiteral).text
    return specifier.startsWith('.') ? [posix.join(dirname(file), specifier)] : []
  })
}

function isOfTypes(statement: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(statement)) return statement.isTypeOnly
  const clause = statement.importClause
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const names = clause.namedBindings
  return names !== undefined && ts.isNamedImports(names) && names.elements.every((element) => element.isTypeOnly)
}

/** The first circle of a graph, as a path that ends where it began. */
function circleIn(nodes: readonly string[], next: (node: string) => readonly string[]): string[] | undefined {
  const done = new Set<string>()
  const visit = (node: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node]
    if (done.has(node)) return undefined
    for (const other of next(node)) {
      const circle = visit(other, [...path, node])
      if (circle !== undefined) return circle
    }
    done.add(node)
    return undefined
  }
  for (const node of nodes) {
    const circle = visit(node, [])
    if (circle !== undefined) return circle
  }
  return undefined
}

it('has no circle of files that load each other', () => {
  const files = new Set(['bindings', 'src', 'kms', 'cli'].flatMap(importsOf).map(({ file }) => file))
  expect(circleIn([...files], (file) => (file.endsWith('.ts') && files.has(file) ? loadedBy(file) : []))).toBe(
    undefined,
  )
  expect(loadedBy('src/encrypt.ts')).toContain('src/encryption.ts')
  expect(circleIn(['a'], (node) => (node === 'a' ? ['b'] : ['a']))).toEqual(['a', 'b', 'a'])
})
