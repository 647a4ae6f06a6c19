import { pages } from '../pages.mjs'
import { versionOf } from '../programs.mjs'
import { WEB } from '../runtime.mjs'
import { require } from '../setup.mjs'

const executablePath = '/usr/bin/chromium'

/** Opens a page in a browser of its own; the answer closes it. */
export async function open(url) {
  const browser = await require('playwright-core').chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const page = await browser.newPage()
  await page.goto(url, { waitUntil: 'commit' })
  return () => browser.close()
}

/** Its WebCrypto has no AES-192. */
export const runners = pages('Chromium', () => versionOf(executablePath), open, { ...WEB, hasHostAes192: false })
