// `npm run size`: what a user's bundle grows by, minified and gzipped by esbuild, held to budgets.json (in bytes), and
// what it must not contain. What is loaded later is shown beside it and has no budget. A goal is where a budget should
// come down to, or may not pass.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ensureInstalled, ensurePackage, ensureTools, readJson, root } from '../../scripts/project.mjs'

/** A text that only this part of the package has. */
const PARTS = {
  module: 'new WebAssembly.Module',
  envelope: 'commitmentPolicy must be',
  'encrypting streams': 'the plaintext is longer than',
  'decrypting streams': 'to hold so many in memory',
  'RSA keyring': 'padding must be one of',
  'field session': 'waxseal field session',
  'multi-keyring': 'a multi-keyring needs',
  'ECDH keyring': 'ecdh-key-derivation',
  'KMS RSA keyring': 'this KMS RSA keyring has',
  'KMS ECDH keyring': 'schema must be KmsPrivateKeyToStaticPublicKey',
  'hierarchical keyring': 'hierarchicalKeyring needs',
  'KMS keyring': 'kmsKeyring needs',
  'DynamoDB items': 'TransactWriteItems',
  'AWS provider': 'of @aws-sdk/client-kms: new',
  'passphrase keyring': 'waxseal-passphrase',
  ranges: 'has no ranges',
  rewrap: 'headerOnly must be',
  engine: 'waxseal-kms-blob-v1',
  server: 'MissingAuthenticationTokenException',
  'Durable Object store': 'waxseal_schema',
  SQLite: 'PRAGMA',
  'local KMS': 'XDG_CONFIG_HOME',
  'command line': 'commander',
}

/** Leaves out what an `import()` loads, as bundlers do that split their output. */
const withoutLater = {
  name: 'without-later',
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : undefined))
  },
}

const everything = (name) => `export * from '${name}'`

/** What a user bundles, for which platform, and the parts that it must bring; it must bring no other. */
const CASES = {
  'decrypt with a raw AES keyring': {
    code: `export { decrypt, rawAesKeyring } from 'waxseal'`,
    parts: ['module', 'envelope'],
  },
  'streams with a raw AES keyring': {
    code: `export { decryptStream, encryptStream, rawAesKeyring } from 'waxseal'`,
    parts: ['module', 'envelope', 'encrypting streams', 'decrypting streams'],
  },
  waxseal: {
    code: everything('waxseal'),
    parts: ['module', 'envelope', 'encrypting streams', 'decrypting streams', 'RSA keyring', 'multi-keyring'],
  },
  'waxseal/core': { code: everything('waxseal/core'), parts: ['module'] },
  'waxseal/ecdh': { code: everything('waxseal/ecdh'), parts: ['module', 'ECDH keyring'] },
  'waxseal/field-session': {
    code: everything('waxseal/field-session'),
    parts: ['module', 'envelope', 'field session'],
  },
  'waxseal/range': { code: everything('waxseal/range'), parts: ['module', 'envelope', 'ranges'] },
  'waxseal/rewrap': {
    code: everything('waxseal/rewrap'),
    parts: ['module', 'envelope', 'encrypting streams', 'decrypting streams', 'rewrap'],
  },
  'waxseal/kms': { code: everything('waxseal/kms'), parts: ['KMS keyring'] },
  'waxseal/kms/aws': { code: everything('waxseal/kms/aws'), parts: ['module', 'AWS provider'] },
  'waxseal/kms/rsa': { code: everything('waxseal/kms/rsa'), parts: ['module', 'KMS RSA keyring'] },
  'waxseal/kms/ecdh': {
    code: everything('waxseal/kms/ecdh'),
    parts: ['module', 'ECDH keyring', 'KMS ECDH keyring'],
  },
  'waxseal/kms/hierarchical': {
    code: everything('waxseal/kms/hierarchical'),
    parts: ['module', 'hierarchical keyring'],
  },
  'waxseal/kms/dynamodb': { code: everything('waxseal/kms/dynamodb'), parts: ['module', 'DynamoDB items'] },
  'waxseal/kms/passphrase': { code: everything('waxseal/kms/passphrase'), parts: ['module', 'passphrase keyring'] },
  'waxseal/kms/engine': { code: everything('waxseal/kms/engine'), parts: ['module', 'engine'] },
  'waxseal/kms/local': {
    code: everything('waxseal/kms/local'),
    platform: 'node',
    parts: ['module', 'engine', 'SQLite', 'local KMS'],
  },
  'waxseal/kms/pkcs11': { code: everything('waxseal/kms/pkcs11'), platform: 'node', parts: ['module'] },
  'waxseal/kms/server': { code: everything('waxseal/kms/server'), parts: ['module', 'server'] },
  'waxseal/kms/server/node': { code: everything('waxseal/kms/server/node'), platform: 'node', parts: [] },
  'waxseal/kms/server/deno': { code: everything('waxseal/kms/server/deno'), parts: [] },
  'waxseal/kms/server/bun': { code: everything('waxseal/kms/server/bun'), parts: [] },
  'waxseal/kms/store/memory': { code: everything('waxseal/kms/store/memory'), parts: [] },
  'waxseal/kms/store/durable-object': {
    code: everything('waxseal/kms/store/durable-object'),
    parts: ['Durable Object store'],
  },
  'waxseal/kms/store/sqlite': { code: everything('waxseal/kms/store/sqlite'), platform: 'node', parts: ['SQLite'] },
  'the errors': { code: `export { AuthenticationError, FormatError } from 'waxseal'`, parts: [] },
  'an import that is not used': {
    code: `import { encrypt } from 'waxseal'; import { hkdf } from 'waxseal/core'; import { createEngine } from 'waxseal/kms/engine'`,
    parts: [],
  },
}

ensureInstalled()
ensurePackage()
ensureTools('test/tools')
const { build } = createRequire(join(root, 'test/tools/package.json'))('esbuild')
const budgets = readJson('test/size/budgets.json')
const outcomes = []

console.log(row('esbuild, minified', 'bytes', 'gzipped', 'budget', 'goal', 'later'))
for (const [name, { code, platform = 'browser', parts }] of Object.entries(CASES)) {
  const { first, all } = await bundle(code, platform)
  const gzipped = gzip(first)
  const { budget, goal } = budgets[name]
  console.log(row(name, first.length, gzipped, budget, goal, gzip(all) - gzipped))
  check(gzipped <= budget, `${name} is within its budget`)
  checkParts(name, first, parts)
}
checkExports()

const failed = outcomes.filter((isOk) => !isOk).length
console.log(`size: ${outcomes.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** What is loaded at once, and with it everything that an `import()` may load later, as one file each. */
async function bundle(contents, platform) {
  const options = {
    stdin: { contents, resolveDir: root, loader: 'js' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform,
    external: ['libsql'],
    // Not that of this repository, which leads to the sources.
    tsconfigRaw: {},
    write: false,
  }
  const [first, all] = await Promise.all([build({ ...options, plugins: [withoutLater] }), build(options)])
  return { first: first.outputFiles[0].contents, all: all.outputFiles[0].contents }
}

function gzip(bytes) {
  return gzipSync(bytes, { level: 9 }).length
}

function checkParts(name, bytes, expected) {
  const text = Buffer.from(bytes).toString()
  const found = Object.keys(PARTS).filter((part) => text.includes(PARTS[part]))
  const isSame = found.length === expected.length && expected.every((part) => found.includes(part))
  check(isSame, `${name} brings ${list(expected)}${isSame ? '' : `; found ${list(found)}`}`)
}

/** A subpath without a case, or a part whose text has changed, would go unseen. */
function checkExports() {
  const { exports } = readJson('package.json')
  const names = Object.keys(exports).map((path) => `waxseal${path.slice(1)}`)
  for (const name of names.filter((name) => name !== 'waxseal/package.json'))
    check(name in CASES, `${name} has a case in test/size/run.mjs`)
  check(readFileSync(join(root, 'dist/cli.js'), 'utf8').includes(PARTS['command line']), 'the command line is known')
}

function check(isOk, text) {
  outcomes.push(isOk)
  if (!isOk) console.error(`FAILED ${text}`)
}

function list(parts) {
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

function row(name, ...columns) {
  return name.padEnd(34) + columns.map((column) => String(column || '').padStart(9)).join('')
}
