import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url))

export const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly version: string
  readonly man: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly imports: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Makes the tarball that would be published, of `dist/` as it is, and answers its path. */
export function pack(folder: string): string {
  npm(ROOT, 'pack', '--ignore-scripts', '--silent', '--pack-destination', folder)
  return join(folder, `waxseal-${MANIFEST.version}.tgz`)
}

export function npm(cwd: string, ...args: string[]): void {
  execFileSync('npm', args, { cwd, stdio: 'pipe' })
}
