// `npm run test:hsm`: custom key stores in a hardware security module, by the built package, against SoftHSM2 (Debian:
// `apt install softhsm2`). Without it this fails, and says so.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureInstalled, ensurePackage, ensureTools, root } from '../../scripts/project.mjs'

const LIBRARIES = [
  process.env.SOFTHSM2_LIBRARY,
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
]

const here = import.meta.dirname
const library = LIBRARIES.find((path) => path !== undefined && existsSync(path))
if (!library) {
  console.error('SoftHSM2 is missing: install softhsm2, or name its library in SOFTHSM2_LIBRARY')
  end(0, 1)
} else {
  ensureInstalled()
  ensurePackage()
  ensureTools('test/hsm')
  installPackage()
  run()
}

/** The package as it would be published, beside graphene-pk11. */
function installPackage() {
  const folder = mkdtempSync(join(tmpdir(), 'waxseal-hsm-pack-'))
  const installed = join(here, 'node_modules/waxseal')
  try {
    execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: root })
    rmSync(installed, { recursive: true, force: true })
    mkdirSync(installed)
    const [tarball] = readdirSync(folder)
    execFileSync('tar', ['-xf', join(folder, tarball), '-C', installed, '--strip-components=1'])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The checks run in a process of their own, with a new token. */
function run() {
  const folder = mkdtempSync(join(tmpdir(), 'waxseal-hsm-'))
  const config = join(folder, 'softhsm2.conf')
  mkdirSync(join(folder, 'tokens'))
  writeFileSync(
    config,
    `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  )
  const env = { ...process.env, SOFTHSM2_CONF: config, HSM_LIBRARY: library, HSM_FOLDER: folder }
  try {
    for (const label of ['waxseal', 'other']) {
      const pins = ['--so-pin', 'security officer', '--pin', 'a PIN of eight']
      execFileSync('softhsm2-util', ['--init-token', '--free', '--label', label, ...pins], { env, stdio: 'pipe' })
    }
    const { stdout, status } = spawnSync(process.execPath, ['checks.mjs'], {
      cwd: here,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 300_000,
    })
    console.log(stdout.trimEnd())
    const passed = stdout.match(/^ok /gm)?.length ?? 0
    const failed = stdout.match(/^FAILED /gm)?.length ?? 0
    end(passed, Math.max(failed, status === 0 && passed > 0 ? 0 : 1))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function end(passed, failed) {
  console.log(`hsm: ${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}
