import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MANIFEST, ROOT } from './pack.ts'

const JSR = JSON.parse(readFileSync(join(ROOT, 'jsr.json'), 'utf8')) as {
  readonly version: string
  readonly exports: Readonly<Record<string, string>>
  readonly imports: Readonly<Record<string, string>>
}

/** Deno's cache, so that nothing of an earlier run is used. */
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'waxseal-jsr-'))
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('jsr.json', () => {
  it('has the version and the subpaths of package.json', () => {
    expect(JSR.version).toBe(MANIFEST.version)
    expect(Object.keys(JSR.exports)).toEqual(Object.keys(MANIFEST.exports).filter((path) => path !== './package.json'))
  })

  it('gives each subpath import what Deno gets from npm', () => {
    const expected = Object.entries(MANIFEST.imports).map(([name, conditions]) => {
      const file = conditions.deno ?? conditions.default ?? ''
      const source = file.replace(/^\.\/dist\/(.*)\.js$/, '$1.ts')
      return [name, source.startsWith('kms/') ? `./${source}` : `./bindings/${source}`]
    })
    const internal = Object.entries(JSR.imports).filter(([name]) => name.startsWith('#'))
    expect(Object.fromEntries(internal)).toEqual(Object.fromEntries(expected))
  })

  it('takes from npm what the build bundles, in the same version', () => {
    const packages = Object.entries(JSR.imports).filter(([name]) => !name.startsWith('#'))
    expect(packages).toEqual(packages.map(([name]) => [name, `npm:${name}@${MANIFEST.devDependencies[name] ?? ''}`]))
  })

  // The tree of somebody who works on the package has uncommitted changes, and those are no fault of the package.
  it('passes the dry run of deno publish, with the compiled core among the files', () => {
    const deno = join(ROOT, 'test/tools/node_modules/.bin/deno')
    const env = { ...process.env, NO_COLOR: '1', DENO_DIR: folder, DENO_NO_UPDATE_CHECK: '1' }
    const { status, stderr } = spawnSync(deno, ['publish', '--dry-run', '--allow-dirty'], {
      cwd: ROOT,
      env,
      encoding: 'utf8',
    })
    expect({ status, output: status === 0 ? '' : stderr }).toEqual({ status: 0, output: '' })
    expect(stderr).toContain('/build/core.wasm.ts')
  })
})
