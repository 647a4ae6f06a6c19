import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { ROOT } from './pack.ts'

/** What only Node has, or what a bundler would have to put a polyfill for. */
const NODE_GLOBALS = new Set(['Buffer', 'process', 'global', 'require', 'setImmediate', '__dirname', '__filename'])

/** hash-wasm asks by `typeof` under which name the global object goes. */
const ASKED_FOR: Readonly<Record<string, readonly string[]>> = { 'kms/passphrase.js': ['global'] }

/** The part with the engine, whatever the bundler calls it, asks whether there is one before it is used. */
const ENGINE = { text: 'waxseal-kms-blob-v1', globals: ['setImmediate'] }

function askedFor(file: string): readonly string[] {
  const known = ASKED_FOR[file]
  if (known !== undefined) return known
  return readFileSync(join(DIST, file), 'utf8').includes(ENGINE.text) ? ENGINE.globals : []
}

/** Entries for Node, Deno and Bun: they keep files, so they may use `node:` modules. */
const WITH_FILES = ['cli.js', 'kms/local.js', 'kms/pkcs11.js', 'kms/server/node.js', 'kms/store/sqlite.js']

const DIST = join(ROOT, 'dist')
const ENTRIES = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.js') && !file.startsWith('chunks/') && !/\.(?:node|deno|bun)\.js$/.test(file),
)
const PORTABLE = ENTRIES.filter((file) => !WITH_FILES.includes(file))

interface Facts {
  readonly imports: readonly string[]
  readonly globals: readonly string[]
}

function factsOf(file: string): Facts {
  const source = ts.createSourceFile(file, readFileSync(join(DIST, file), 'utf8'), ts.ScriptTarget.ES2022, true)
  const imports = new Set<string>()
  const globals = new Set<string>()
  const visit = (node: ts.Node): void => {
    const isImport =
      ts.isImportDeclaration(node) ||
      ts.isExportDeclaration(node) ||
      (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    if (isImport) {
      const specifier = ts.isCallExpression(node) ? node.arguments[0] : node.moduleSpecifier
      if (specifier) imports.add(ts.isStringLiteral(specifier) ? specifier.text : specifier.getText())
    }
    if (ts.isIdentifier(node) && NODE_GLOBALS.has(node.text) && !isName(node)) globals.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return { imports: [...imports], globals: [...globals] }
}

/** Whether an identifier names a member: `x.process`, `{ process: 1 }`, `process() {}` in a class. */
function isName(node: ts.Identifier): boolean {
  const parent = node.parent
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node && parent.expression.getText() !== 'globalThis'
  return (
    (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent) || ts.isPropertyDeclaration(parent)) &&
    parent.name === node
  )
}

/** Every file that an entry loads, at once or later, by paths within the package. */
function closureOf(entry: string): Map<string, Facts> {
  const closure = new Map([[entry, factsOf(entry)]])
  for (const [file, { imports }] of closure) {
    for (const path of imports.filter((path) => path.startsWith('.'))) {
      const target = normalize(join(dirname(file), path))
      if (!closure.has(target) && target.endsWith('.js')) closure.set(target, factsOf(target))
    }
  }
  return closure
}

describe('what runs on every runtime', () => {
  it('is most of the package', () => {
    expect(PORTABLE).toEqual(
      expect.arrayContaining([
        'index.js',
        'core.js',
        'field-session.js',
        'kms.js',
        'kms/engine.js',
        'kms/store/memory.js',
        'wasm.inline.js',
      ]),
    )
  })

  it.each(PORTABLE)('%s needs no module and no global of Node', (entry) => {
    for (const [file, { imports, globals }] of closureOf(entry)) {
      expect({ file, globals }).toEqual({ file, globals: askedFor(file) })
      expect(
        imports.filter((path) => !/^(?:\.|#(?:wasm|host|asymmetric|key-pairs)$)/.test(path)),
        file,
      ).toEqual([])
    }
  })

  it('is told apart from what needs them', () => {
    expect(factsOf('asymmetric.node.js').imports).toContain('node:crypto')
    expect(factsOf('asymmetric.node.js').globals).toContain('Buffer')
    expect(factsOf('kms/local.js').globals).toContain('process')
  })
})
