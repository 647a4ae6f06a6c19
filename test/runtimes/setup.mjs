// The packed package as a user installs it, the compiled suite beside it, and what the suite is given.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readJson, root, runNpm } from '../../scripts/project.mjs'

/** Where the runtimes, drivers and bundlers are installed. */
export const tools = join(root, 'test/runtimes')

/** Resolves what is installed there. */
export const require = createRequire(join(tools, 'package.json'))

/**
 * Makes the folder that every runner works in: the package installed from its tarball, `suite.js` and `files.js` that import
 * it by its name, and the files of `inside/`.
 */
export async function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'waxseal-runtimes-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  runNpm(['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { quiet: true })
  const tarball = `waxseal-${readJson('package.json').version}.tgz`
  // Offline: a package that needs nothing else can be installed without a registry.
  const flags = ['--offline', '--no-audit', '--no-fund', '--no-package-lock']
  runNpm(['install', ...flags, `./${tarball}`], { cwd: folder, quiet: true })
  cpSync(join(tools, 'inside'), folder, { recursive: true })
  await require('esbuild').build({
    entryPoints: { suite: join(root, 'test/conformance/index.ts'), files: join(root, 'test/conformance/files.ts') },
    outdir: folder,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    external: ['waxseal', 'waxseal/*'],
    // Not the paths of the repository's own configuration: the package is the installed one.
    tsconfigRaw: '{}',
  })
  return folder
}

/** What every runner gives the suite: the vectors of the repository, and those beside it where they are. */
export function makeInput() {
  const keys = readJson('test/esdk/selection/keys.json').keys
  const pair = { publicKey: keys['rsa-2048-public'].material, privateKey: keys['rsa-2048-private'].material }
  const messages = [messageVectors('selection', 'test/esdk/selection')]
  if (existsSync(join(root, COLLECTION))) messages.push(messageVectors('collection', COLLECTION))
  return { rsa: pair, core: coreVectors(), messages }
}

const COLLECTION = '../shared/vectors/esdk'

const KINDS = new Set(['raw-aes', 'raw-rsa', 'multi', 'required-ec', 'static-dek'])

function messageVectors(name, folder) {
  const tests = readJson(`${folder}/manifest.json`).tests.filter(({ kind }) => KINDS.has(kind))
  const names = tests.flatMap(({ ciphertext, plaintext }) =>
    plaintext === null ? ciphertext : [ciphertext, plaintext],
  )
  const files = [...new Set(names)].map((file) => [file, readFileSync(join(root, folder, file)).toString('base64')])
  return { name, tests, keys: readJson(`${folder}/keys.json`).keys, files: Object.fromEntries(files) }
}

function coreVectors() {
  const cases = (name) => readJson(`test/vectors/${name}.json`).cases
  const { files } = readJson('test/vectors/wycheproof.json')
  const hkdf = ['sha384', 'sha512'].flatMap((hash) => {
    const name = `hkdf_${hash}_test.json`
    return files[name].testGroups
      .flatMap(({ tests }) => tests)
      .map(({ tcId, size: length, okm, result, ...inputs }) => {
        return { ...inputs, source: `${name} ${tcId}`, hash, length, okm: result === 'valid' ? okm : null }
      })
  })
  return {
    gcm: [...cases('aes-gcm-specification'), ...cases('aes-gcm-cavp')],
    sha2: cases('sha2'),
    hmac: cases('hmac'),
    hkdf: [...cases('hkdf'), ...hkdf],
    kw: cases('aes-kw'),
    kwp: cases('aes-kwp'),
  }
}
