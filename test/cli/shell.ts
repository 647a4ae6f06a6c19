import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

/** The user that owns nothing. */
const NOBODY = 65534

export interface Outcome {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** A folder of its own for one file of tests, with a home for its KMS. */
export class Shell {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'waxseal-cli-'))

  readonly env: NodeJS.ProcessEnv = {
    ...process.env,
    HOME: join(this.folder, 'home'),
    WAXSEAL_HOME: join(this.folder, 'home/kms'),
    XDG_CONFIG_HOME: join(this.folder, 'home/config'),
    XDG_DATA_HOME: join(this.folder, 'home/data'),
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content)
    return this.path(name)
  }

  read(name: string): Buffer {
    return readFileSync(this.path(name))
  }

  /** Names of what stands in the folder, the KMS's home apart. */
  files(): string[] {
    return readdirSync(this.folder)
      .filter((name) => name !== 'home')
      .sort()
  }

  waxseal(args: readonly string[], input?: string | Uint8Array, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    return this.run(process.execPath, [CLI, ...args], input, env)
  }

  /** Runs a script in which `waxseal` is the built command. */
  bash(script: string): Promise<Outcome> {
    return this.run('bash', ['--norc', '-c', `waxseal() { "${process.execPath}" "${CLI}" "$@"; }\n${script}`])
  }

  run(
    command: string,
    args: readonly string[],
    input?: string | Uint8Array,
    env: NodeJS.ProcessEnv = {},
  ): Promise<Outcome> {
    const child = spawn(command, args, { cwd: this.folder, env: { ...this.env, ...env } })
    child.stdin.on('error', () => undefined) // a command that fails early does not read its input
    child.stdin.end(input)
    return outcomeOf(child)
  }

  /** Runs the command as a user without rights; as the present one unless that is root. */
  unprivileged(args: readonly string[]): Promise<Outcome> {
    const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
    return outcomeOf(spawn(process.execPath, [CLI, ...args], { cwd: this.folder, env: this.env, ...user }))
  }

  /** Every path in the folder, the KMS's home apart. */
  tree(): string[] {
    return readdirSync(this.folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => !path.startsWith('home/'))
      .sort()
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Starts the command and leaves its standard input open. */
export function start(shell: Shell, args: readonly string[]): ReturnType<typeof spawn> {
  return spawn(process.execPath, [CLI, ...args], { cwd: shell.folder, env: shell.env })
}

export function outcomeOf(child: ReturnType<typeof spawn>): Promise<Outcome> {
  const stdout: Uint8Array[] = []
  const stderr: Uint8Array[] = []
  child.stdout?.on('data', (chunk: Uint8Array) => stdout.push(chunk))
  child.stderr?.on('data', (chunk: Uint8Array) => stderr.push(chunk))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() })
    })
  })
}

/** The command ended well and had nothing to complain about; answers what it printed. */
export function succeeded({ code, stdout, stderr }: Outcome): string {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.toString()
}

/** The command failed with this code, printed nothing, and gave its reason in one line. */
export function failed(outcome: Outcome, code: number, reason: RegExp): void {
  expect({ code: outcome.code, stdout: outcome.stdout.toString() }).toEqual({ code, stdout: '' })
  expect(outcome.stderr).toMatch(/^waxseal: [^\n]+\n$/)
  expect(outcome.stderr).toMatch(reason)
}
