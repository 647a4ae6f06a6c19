// Each bundler with its default settings: no polyfill, no alias, no plugin but Rollup's resolution of packages. A
// warning fails the bundle.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { require } from './setup.mjs'

const load = (name) => import(pathToFileURL(require.resolve(name)))

/** Each writes the bundle of `entry` to the folder `to`, and answers the file to be loaded. */
export const bundlers = {
  async Rollup({ entry, to }) {
    const [{ rollup }, { nodeResolve }] = [await load('rollup'), await load('@rollup/plugin-node-resolve')]
    const bundle = await rollup({ input: entry, plugins: [nodeResolve()], external: /^node:/, onwarn: refuse })
    await bundle.write({ dir: to })
    return 'main.js'
  },

  async esbuild({ entry, to, platform }) {
    const { warnings } = await require('esbuild').build({ entryPoints: [entry], bundle: true, outdir: to, platform })
    warnings.forEach(refuse)
    return 'main.js'
  },

  async Vite({ folder, to }) {
    writeFileSync(join(folder, 'index.html'), html('main.mjs'))
    const { build, createLogger } = await load('vite')
    const customLogger = { ...createLogger('silent'), warn: refuse }
    await build({ root: folder, configFile: false, customLogger, logLevel: 'silent', build: { outDir: to } })
    return undefined
  },

  async webpack({ entry, to, platform }) {
    const target = platform === 'node' ? 'node' : 'web'
    // The hints are about the size of the suite itself, the whole KMS with it; `npm run size` holds that of the library.
    const performance = { hints: false }
    const configuration = { mode: 'production', entry, output: { path: to }, target, performance }
    const stats = await promisify(require('webpack'))(configuration)
    if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString())
    return 'main.js'
  },
}

/**
 * Bundles one of the files of `inside/` in a folder of its own and answers that of the bundle, with a page that loads
 * it, and its file.
 * @param {string} parent where the package is installed
 * @param {string} name of the bundler
 * @param {'page' | 'bundled-process'} inside
 */
export async function bundle(parent, name, inside) {
  const folder = join(parent, 'bundles', `${name} ${inside}`)
  const to = join(folder, 'dist')
  mkdirSync(to, { recursive: true })
  cpSync(join(parent, `${inside}.mjs`), join(folder, 'main.mjs'))
  cpSync(join(parent, 'suite.js'), join(folder, 'suite.js'))
  const platform = inside === 'bundled-process' ? 'node' : 'browser'
  const file = await bundlers[name]({ folder, entry: join(folder, 'main.mjs'), to, platform })
  if (file !== undefined) writeFileSync(join(to, 'index.html'), html(file))
  // Rollup writes modules; the others write for Node what `require` loads.
  writeFileSync(join(to, 'package.json'), JSON.stringify({ type: name === 'Rollup' ? 'module' : 'commonjs' }))
  return { folder: to, file }
}

function html(script) {
  return `<!doctype html><meta charset="utf-8"><title>waxseal</title><script type="module" src="./${script}"></script>`
}

function refuse(warning) {
  throw new Error(`a warning: ${typeof warning === 'string' ? warning : (warning.message ?? warning.text)}`)
}
