import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, pack } from './pack.ts'

let folder: string
let tarball: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'waxseal-linters-'))
  tarball = pack(folder)
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a linter of `test/tools` on the tarball and answers what it says, colourless. */
function lint(tool: string, ...args: string[]): { status: number | null; output: string } {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' }
  const program = join(ROOT, 'test/tools/node_modules/.bin', tool)
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { env, encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

describe('the packed tarball', () => {
  it('satisfies publint --strict', () => {
    const { status, output } = lint('publint', 'run', tarball, '--strict')
    expect(output).toContain('All good!')
    expect(status).toBe(0)
  })

  it('satisfies attw --profile esm-only', () => {
    const { status, output } = lint('attw', tarball, '--profile', 'esm-only', '--format', 'ascii')
    expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' })
    expect(output).toContain('"waxseal/core"')
  })
})
