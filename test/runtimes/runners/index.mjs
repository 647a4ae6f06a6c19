import { runners as bun } from './bun.mjs'
import { runners as bundles } from './bundles.mjs'
import { runners as chromium } from './chromium.mjs'
import { runners as deno } from './deno.mjs'
import { runners as firefox } from './firefox.mjs'
import { runners as node } from './node.mjs'
import { runners as webkit } from './webkit.mjs'
import { runners as workerd } from './workerd.mjs'
import { runners as wrangler } from './wrangler.mjs'

/** All, in the order of the table. Those that exchange messages read what each of the others has written. */
export const allRunners = [node, deno, bun, workerd, wrangler, chromium, firefox, webkit, bundles]
  .flat()
  .map((runner) => ({ exchanges: true, ...runner }))
