import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { relative } from 'node:path'
import commonjs from '@rollup/plugin-commonjs'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { dts } from 'rollup-plugin-dts'
import ts from 'typescript'

/** Public entries, `dist/` path without suffix → source. The package's `exports` name the same set. */
const entries = {
  index: 'src/index.ts',
  core: 'bindings/core.ts',
  ecdh: 'src/keyrings/raw-ecdh.ts',
  'field-session': 'src/field-session.ts',
  range: 'src/range.ts',
  rewrap: 'src/rewrap.ts',
  kms: 'kms/index.ts',
  'kms/aws': 'kms/providers/aws.ts',
  'kms/rsa': 'kms/kms-rsa-keyring.ts',
  'kms/ecdh': 'kms/kms-ecdh-keyring.ts',
  'kms/hierarchical': 'kms/hierarchical/index.ts',
  'kms/dynamodb': 'kms/hierarchical/dynamodb.ts',
  'kms/passphrase': 'kms/providers/passphrase.ts',
  'kms/local': 'kms/providers/local.ts',
  'kms/engine': 'kms/engine/index.ts',
  'kms/pkcs11': 'kms/key-stores/pkcs11.node.ts',
  'kms/server': 'kms/server/index.ts',
  'kms/server/node': 'kms/server/listen.node.ts',
  'kms/server/deno': 'kms/server/listen.deno.ts',
  'kms/server/bun': 'kms/server/listen.bun.ts',
  'kms/store/memory': 'kms/store/memory.ts',
  'kms/store/durable-object': 'kms/store/durable-object.ts',
  'kms/store/sqlite': 'kms/store/sqlite.ts',
}

/** What the package's `imports` and `bin` name: no types are published for these. */
const internalEntries = {
  'wasm.inline': 'bindings/wasm.inline.ts',
  'wasm.static': 'bindings/wasm.static.ts',
  'asymmetric.node': 'bindings/asymmetric.node.ts',
  'asymmetric.web': 'bindings/asymmetric.web.ts',
  'key-pairs.node': 'bindings/key-pairs.node.ts',
  'key-pairs.web': 'bindings/key-pairs.web.ts',
  'host.node': 'bindings/host.node.ts',
  'host.web': 'bindings/host.web.ts',
  'kms/store/sqlite-driver.node': 'kms/store/sqlite-driver.node.ts',
  'kms/store/sqlite-driver.deno': 'kms/store/sqlite-driver.deno.ts',
  'kms/store/sqlite-driver.bun': 'kms/store/sqlite-driver.bun.ts',
  cli: 'cli/main.ts',
}

/** What begins with `#` stays in the output: each runtime resolves it by its own condition. */
const external = [/^node:/, /^bun:/, /^#/, 'libsql', ...builtinModules]

/** Types are checked by `tsc`; with `isolatedModules` semantics each file is translated on its own. */
const typescript = {
  name: 'typescript',
  transform(code, id) {
    if (!id.endsWith('.ts')) return null
    const compilerOptions = { target: 'es2022', module: 'esnext', verbatimModuleSyntax: true }
    return { code: ts.transpileModule(code, { fileName: id, compilerOptions }).outputText, map: null }
  },
}

/** No module does anything at import, and bundlers warn of an import for nothing but that. */
const noBareImports = {
  name: 'no-bare-imports',
  renderChunk: (code) => ({ code: code.replace(/^import '[^']*';\n?/gm, ''), map: null }),
}

const executableCli = {
  name: 'executable-cli',
  generateBundle() {
    const licenses = ['commander', 'yaml'].map((name) => readFileSync(`node_modules/${name}/LICENSE`, 'utf8'))
    const source = ['The command contains commander and yaml.', ...licenses].join('\n\n')
    this.emitFile({ type: 'asset', fileName: 'cli.licenses.txt', source })
  },
  writeBundle() {
    chmodSync('dist/cli.js', 0o755)
    writeFileSync('dist/waxseal.1', execFileSync(process.execPath, ['dist/cli.js', 'manual']))
  },
}

/** The licences of what is bundled into the parts that sign what the runtime does not. */
const nobleLicenses = {
  name: 'noble-licenses',
  generateBundle() {
    const licenses = ['curves', 'hashes', 'post-quantum'].map((name) => {
      return `@noble/${name}\n\n${readFileSync(`node_modules/@noble/${name}/LICENSE`, 'utf8')}`
    })
    for (const chunk of ['ecdsa.web', 'curves.noble', 'sha224.noble', 'post-quantum.noble']) {
      const source = [`The file ${chunk}.js contains parts of these packages.`, ...licenses].join('\n\n')
      this.emitFile({ type: 'asset', fileName: `chunks/${chunk}.licenses.txt`, source })
    }
  },
}

/** The licence of what is bundled into the passphrase keyring. */
const hashWasmLicense = {
  name: 'hash-wasm-license',
  generateBundle() {
    const source = `The file passphrase.js contains hash-wasm.\n\n${readFileSync('node_modules/hash-wasm/LICENSE', 'utf8')}`
    this.emitFile({ type: 'asset', fileName: 'kms/passphrase.licenses.txt', source })
  },
}

/** `wasm.static.js` imports the compiled core as a file beside it. */
const coreFile = {
  name: 'core-file',
  resolveId: (id) => (id === '../build/core.wasm' ? { id: './core.wasm', external: true } : null),
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'core.wasm', source: readFileSync('build/core.wasm') })
  },
}

/**
 * Few files: each costs Node a third of a millisecond to load. What every part of the library needs is one, and what all
 * of `waxseal` is another; the parts for one runtime, and those that are loaded on use, stay apart.
 */
function commonChunk(id) {
  const path = relative(import.meta.dirname, id)
  if (/\.(?:node|web|noble|inline|static)\.ts$/.test(path)) return undefined
  // What asks for the runtime's part must not be in the file that those parts import themselves.
  if (path === 'bindings/host-message.ts') return 'envelope'
  if (/^bindings\//.test(path) && !NOT_COMMON.test(path)) return 'bindings'
  if (/^src\//.test(path) && !NOT_COMMON.test(path)) return 'envelope'
  return undefined
}

/** Entries of their own, what only they have, and what is loaded on use. */
const NOT_COMMON =
  /^(?:bindings\/(?:core|rsa-|key-|kdf-counter|ec-|ecdh|der|hash|random)|src\/(?:index|range|rewrap|detached-keys|field-|rewrap-|http-source|source|frame-layout|signed-layout|header-keys|keyrings\/(?:raw-ecdh|ecdh))).*\.ts$/

function failOnWarning(level, log) {
  // A type of the library that a public one mentions may stay private: it is described in a chunk of its own.
  if (log.plugin === 'dts' && log.message.includes('private shared type exports')) return
  if (level === 'warn') throw new Error(log.message)
}

export default [
  {
    input: { ...entries, ...internalEntries },
    external,
    plugins: [
      coreFile,
      nobleLicenses,
      hashWasmLicense,
      nodeResolve({ exportConditions: ['node'] }),
      commonjs(),
      typescript,
      noBareImports,
      executableCli,
    ],
    onLog: failOnWarning,
    output: {
      dir: 'dist',
      format: 'es',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/[name].js',
      manualChunks: commonChunk,
      hoistTransitiveImports: false,
      minifyInternalExports: false,
      banner: (chunk) => (chunk.name === 'cli' ? '#!/usr/bin/env node' : ''),
    },
  },
  {
    input: entries,
    external,
    plugins: [dts({ compilerOptions: { noEmit: false, composite: false } })],
    onLog: failOnWarning,
    output: {
      dir: 'dist',
      format: 'es',
      entryFileNames: '[name].d.ts',
      chunkFileNames: 'chunks/[name].d.ts',
      minifyInternalExports: false,
    },
  },
]
