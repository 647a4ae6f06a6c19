import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installed } from '../programs.mjs'
import { askServer, freePort, start } from '../processes.mjs'
import { WORKERS } from '../runtime.mjs'
import { require } from '../setup.mjs'

const wrangler = installed('wrangler/bin/wrangler.js')
const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' }

/** The worker as `wrangler dev` bundles and serves it. */
async function conform(folder, input) {
  const config = { name: 'conformance', main: 'worker.mjs', compatibility_date: '2026-04-01' }
  writeFileSync(join(folder, 'wrangler.json'), JSON.stringify(config))
  const port = String(await freePort())
  const args = [wrangler, 'dev', '--local', '--ip', '127.0.0.1', '--port', port]
  const server = start(process.execPath, args, { cwd: folder, env })
  return askServer(server, `http://127.0.0.1:${port}`, input).finally(server.stop)
}

const version = () => require('wrangler/package.json').version
export const runners = [{ name: 'wrangler dev', runtime: WORKERS, version, conform }]
