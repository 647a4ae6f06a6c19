import { join } from 'node:path'
import { askPage } from './server.mjs'

/** Where the suite runs: what it is asked for by, and what its global object is called there. */
const PLACES = {
  page: ['page', 'Window'],
  'Web Worker': ['worker', 'DedicatedWorkerGlobalScope'],
  'Service Worker': ['service-worker', 'ServiceWorkerGlobalScope'],
}

/** What a page may load and do; `unsafe` is what its scripts may do beside. */
const policy = (unsafe) => `default-src 'none'; script-src 'self'${unsafe}; connect-src 'self'`

/** A browser's page and workers, and a page under a strict Content-Security-Policy that allows WebAssembly or not. */
export function pages(browser, version, open, runtime) {
  let known
  const versionOnce = () => (known ??= version())
  const runner = (name, page, scope, headers, differences) => ({
    name: `${browser}, ${name}`,
    runtime: { ...runtime, ...differences },
    version: versionOnce,
    conform: async (folder, input) => {
      const report = await askPage(join(folder, 'site'), page, input, open, { headers })
      if (report.scope !== scope) throw new Error(`it ran in a ${report.scope}`)
      return report
    },
    exchanges: headers === undefined,
    open: name === 'page' && open,
  })
  const under = (unsafe) => ({ 'content-security-policy': policy(unsafe) })
  return [
    ...Object.entries(PLACES).map(([name, [place, scope]]) => runner(name, `index.html?${place}`, scope)),
    runner("'wasm-unsafe-eval'", 'index.html', 'Window', under(" 'wasm-unsafe-eval'")),
    runner("no 'wasm-unsafe-eval'", 'index.html', 'Window', under(''), { isWasmForbidden: true }),
  ]
}
