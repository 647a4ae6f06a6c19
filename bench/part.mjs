// Child of main.mjs. Measures the groups of one part, side by side, and sends their results. Arguments: part, rounds.
import { GCM_SIZES } from './data.mjs'
import { measure } from './rounds.mjs'

const GROUPS = {
  ...Object.fromEntries(
    GCM_SIZES.map((size) => [`gcm ${size}`, async () => (await import('./gcm.mjs')).gcmGroups([size])]),
  ),
  mac: async () => (await import('./mac.mjs')).macGroups(),
  'small messages': async () => (await import('./message.mjs')).messageGroups([64]),
  'large messages': async () => (await import('./message.mjs')).messageGroups([1_048_576]),
  'field values': async () => (await import('./field.mjs')).fieldGroups(),
}

const [part, rounds] = process.argv.slice(2)
process.send(await measure(await GROUPS[part](), Number(rounds)))
process.disconnect()
