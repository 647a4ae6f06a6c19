import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

interface Block {
  readonly language: string
  readonly line: number
  readonly code: string
}

/** What needs the AWS CLI is run by test/awscli. */
const ELSEWHERE = 'sh awscli'

const BLOCKS: readonly Block[] = [...README.matchAll(/^```([\w ]*)\n([^]*?)^```$/gm)]
  .map((match) => ({
    language: match[1] ?? '',
    line: README.slice(0, match.index).split('\n').length,
    code: match[2] ?? '',
  }))
  .filter(({ language }) => language !== ELSEWHERE)

/** A user's folder: the package in node_modules, its command on the PATH. */
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'waxseal-readme-'))
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true })
  symlinkSync(ROOT, join(folder, 'node_modules/waxseal'))
  symlinkSync(join(ROOT, 'dist/cli.js'), join(folder, 'node_modules/.bin/waxseal'))
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a block in the folder that the blocks share, so that one can go on from what an earlier one made. */
function run({ language, line, code }: Block): string {
  const [command, ...args] =
    language === 'sh' ? ['bash', '--norc', '-euo', 'pipefail', '-c', code] : [process.execPath, script(line, code)]
  const env = {
    ...process.env,
    PATH: [join(folder, 'node_modules/.bin'), process.env.PATH].join(delimiter),
    NODE_NO_WARNINGS: '1', // some versions of Node call their SQLite experimental
    HOME: folder,
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_CONFIG_HOME: join(folder, 'config'),
  }
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}

function script(line: number, code: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
  const file = join(folder, `line-${line}.mjs`)
  writeFileSync(file, ts.transpileModule(code, { compilerOptions }).outputText)
  return file
}

/** What a block says that it prints: the comments behind its console.log calls. */
function promisedOutput({ code }: Block): string {
  return [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text]) => `${text}\n`).join('')
}

describe('README.md', () => {
  it('shows encryption and decryption in at most ten lines before line 30', () => {
    const first = BLOCKS.find(({ language }) => language === 'ts')!
    expect(first.code).toMatch(/\bencrypt\([^]*\bdecrypt\(/)
    expect(first.code.trimEnd().split('\n').length).toBeLessThanOrEqual(10)
    expect(first.line + first.code.split('\n').length).toBeLessThanOrEqual(30)
  })

  it.each(BLOCKS)('runs the $language block at line $line', (block) => {
    expect(['ts', 'js', 'sh']).toContain(block.language)
    const output = run(block)
    if (block.language !== 'sh') expect(output).toBe(promisedOutput(block))
  })

  it('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
    const named = [...README.matchAll(/`npm (?:run )?([\w:]+)`/g)].map(([, name]) => name)
    expect(named).toEqual(expect.arrayContaining(['start', 'test']))
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named))
  })
})
