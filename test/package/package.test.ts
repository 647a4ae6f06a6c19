import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MANIFEST, ROOT, npm, pack } from './pack.ts'

/** What a user writes, in JavaScript that is TypeScript too. */
const PROGRAM = `
const wrappingKey = new Uint8Array(32).fill(7)
const keyring = rawAesKeyring({ namespace: 'app', name: 'k1', wrappingKey })
const cipher = aesGcm(wrappingKey)
const sealed = cipher.encrypt(new Uint8Array(12), new Uint8Array([1, 2, 3]))
const opened = cipher.decrypt(new Uint8Array(12), sealed)
async function main() {
  const message = await encrypt(keyring, opened, { encryptionContext: { tenant: 'a' }, algorithmSuite: 0x0478 })
  const { plaintext } = await decrypt(keyring, message, { encryptionContext: { tenant: 'a' } })
  console.log(plaintext.join())
}
void main()
`
const IMPORTS = `
import { encrypt, decrypt, rawAesKeyring } from 'waxseal'
import { aesGcm } from 'waxseal/core'
`
const REQUIRES = `
const { encrypt, decrypt, rawAesKeyring } = require('waxseal')
const { aesGcm } = require('waxseal/core')
`

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'waxseal-package-'))
  const tarball = pack(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  // Offline: a package that needs nothing else can be installed without a registry.
  npm(folder, 'install', '--offline', '--no-audit', '--no-fund', '--silent', tarball)
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Node from 22.13 on. */
const hasSqlite = isBuiltin('node:sqlite')

function node(file: string, source: string): string {
  writeFileSync(join(folder, file), source)
  return execFileSync(process.execPath, [file], { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
}

function packedFiles(): string[] {
  const installed = join(folder, 'node_modules/waxseal')
  return readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
}

describe('the packed package in an empty folder', () => {
  it('brings no other package along', () => {
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['waxseal'])
  })

  it('holds dist and the documents, and no sources', () => {
    const files = packedFiles()
    const outside = files.filter((file) => !file.startsWith('dist/'))
    expect(outside.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'])
    expect(files.filter((file) => !/\.(?:js|d\.ts|wasm|txt|md|json)$|^LICENSE$|^dist\/waxseal\.1$/.test(file))).toEqual(
      [],
    )
  })

  it('lets no path of the sources into its types', () => {
    const types = packedFiles().filter((file) => file.endsWith('.d.ts'))
    expect(types).toContain('dist/index.d.ts')
    for (const file of types) {
      const text = readFileSync(join(folder, 'node_modules/waxseal', file), 'utf8')
      for (const [, specifier] of text.matchAll(/(?:from|import\() ?'([^']+)'/g)) {
        expect(specifier, file).toMatch(/^(?:\.\.?\/)+(?:chunks\/)?[\w/-]+\.js$|^node:/)
      }
    }
  })

  it('is imported', () => {
    expect(node('imported.mjs', IMPORTS + PROGRAM)).toBe('1,2,3\n')
  })

  it('is required', () => {
    expect(node('required.cjs', REQUIRES + PROGRAM)).toBe('1,2,3\n')
  })

  it.each(Object.keys(MANIFEST.exports).filter((path) => path !== './package.json'))('imports %s', (path) => {
    const name = `waxseal${path.slice(1)}`
    expect(
      Number(node('subpath.mjs', `import('${name}').then((m) => console.log(Object.keys(m).length))`)),
    ).toBeGreaterThan(0)
  })

  it('puts waxseal on the path', () => {
    const command = join(folder, 'node_modules/.bin/waxseal')
    expect(execFileSync(command, ['--version'], { encoding: 'utf8' })).toBe(`${MANIFEST.version}\n`)
  })

  it('brings the manual page that package.json names', () => {
    const manual = readFileSync(join(folder, 'node_modules/waxseal', MANIFEST.man), 'utf8')
    expect(manual).toMatch(/^\.TH WAXSEAL 1\n/)
  })

  it('keeps a KMS where the runtime has SQLite, and says what to install where it has none', () => {
    const args = ['kms', 'create-key', '--kms', join(folder, 'kms'), '--root-key', join(folder, 'root.key')]
    const command = join(folder, 'node_modules/.bin/waxseal')
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
    if (hasSqlite) expect(status).toBe(0)
    else
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringContaining('npm install libsql') as unknown,
      })
  })
})

describe.each([
  { name: 'lib es2022 and dom', lib: ['es2022', 'dom'], types: [] },
  { name: 'lib es2022 and @types/node', lib: ['es2022'], types: ['node'] },
])('tsc --strict with $name', ({ lib, types }) => {
  it.each([
    { module: 'esnext', moduleResolution: 'bundler' },
    { module: 'node16', moduleResolution: 'node16' },
    { module: 'nodenext', moduleResolution: 'nodenext' },
  ])('accepts a program, moduleResolution $moduleResolution', ({ module, moduleResolution }) => {
    writeFileSync(join(folder, 'program.mts'), IMPORTS + everySubpath() + PROGRAM)
    const typeRoots = [join(ROOT, 'node_modules/@types')]
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: 'es2022',
      lib,
      types,
      typeRoots,
      module,
      moduleResolution,
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.mts'] }))
    expect(compile()).toBe('')
  })
})

it('is seen to be type checked', () => {
  writeFileSync(join(folder, 'program.mts'), `${IMPORTS}\nexport const wrong: number = aesGcm(new Uint8Array(16))`)
  expect(compile()).toContain("Type 'AesGcm' is not assignable to type 'number'")
})

function everySubpath(): string {
  const subpaths = Object.keys(MANIFEST.exports).filter((path) => path !== './package.json')
  return subpaths.map((path, index) => `export * as subpath${index} from 'waxseal${path.slice(1)}'`).join('\n')
}

/** What tsc prints: nothing when all is well. */
function compile(): string {
  try {
    return execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    })
  } catch (error) {
    return String((error as { stdout: unknown }).stdout)
  }
}
