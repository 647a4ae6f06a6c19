import { pages } from '../pages.mjs'
import { versionOf } from '../programs.mjs'
import { WEB } from '../runtime.mjs'
import { require } from '../setup.mjs'

const executablePath = '/usr/bin/firefox-esr'

/** Opens a page in a browser of its own; the answer closes it. */
async function open(url) {
  const browser = await require('puppeteer-core').launch({ browser: 'firefox', executablePath, headless: true })
  const page = await browser.newPage()
  await page.goto(url)
  return () => browser.close()
}

export const runners = pages('Firefox', () => versionOf(executablePath), open, WEB)
