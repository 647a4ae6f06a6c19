import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execute } from './processes.mjs'
import { installed } from './programs.mjs'
import { require } from './setup.mjs'

export const workerd = installed('workerd/bin/workerd')

/**
 * Bundles a worker for workerd and writes its configuration beside it, with the core as a module of its own: bytes may
 * not be compiled there.
 * @param {string} folder
 * @param {string} name of a file of `inside/`
 * @param {{ flags?: readonly string[], define?: Record<string, string> }} [options]
 * @returns {Promise<string>} the folder of `workerd.capnp`
 */
export async function makeWorker(folder, name, { flags = [], define = {} } = {}) {
  const outdir = join(folder, 'workers', [name, ...flags].join(' '))
  await require('esbuild').build({
    entryPoints: { worker: join(folder, `${name}.mjs`) },
    outdir,
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    loader: { '.wasm': 'copy' },
    assetNames: '[name]',
    define,
  })
  const core = existsSync(join(outdir, 'core.wasm')) ? ', (name = "./core.wasm", wasm = embed "core.wasm")' : ''
  writeFileSync(
    join(outdir, 'workerd.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker", esModule = embed "worker.js")${core}],
    compatibilityDate = "2026-07-01",
    compatibilityFlags = [${flags.map((flag) => `"${flag}"`).join(', ')}],
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`,
  )
  return outdir
}

/** Milliseconds that a fresh workerd takes longer for a first decrypt than for nothing: in it the clock stands still. */
export async function timeFirstDecrypt(folder, { message, wrappingKey }) {
  const define = { MESSAGE: JSON.stringify(message), WRAPPING_KEY: JSON.stringify(wrappingKey) }
  const times = []
  for (const name of ['start-worker', 'empty-worker']) {
    const cwd = await makeWorker(folder, name, { define })
    const started = performance.now()
    await execute(workerd, ['test', 'workerd.capnp'], { cwd })
    times.push(performance.now() - started)
  }
  return { both: times[0] - times[1] }
}
