import { existsSync } from 'node:fs'
import { pages } from '../pages.mjs'
import { askServer, freePort, start } from '../processes.mjs'
import { WEB } from '../runtime.mjs'

const driver = '/usr/bin/WebKitWebDriver'
const binary = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser'
const options = { browserName: 'MiniBrowser', 'webkitgtk:browserOptions': { binary, args: ['--automation'] } }

/** Opens a page in a browser of its own; the answer closes it, and has its version. */
async function open(url) {
  const port = await freePort()
  const server = start('xvfb-run', ['-a', driver, `--port=${port}`, '--host=127.0.0.1'])
  const post = (path, body) => askServer(server, `http://127.0.0.1:${port}/session${path}`, body)
  const { value } = await post('', { capabilities: { alwaysMatch: options } })
  await post(`/${value.sessionId}/url`, { url })
  return Object.assign(server.stop, { version: value.capabilities.browserVersion })
}

const version = async () => {
  const close = existsSync(driver) ? await open('about:blank') : undefined
  return close && (close(), close.version)
}
export const runners = pages('WebKit', version, open, WEB)
