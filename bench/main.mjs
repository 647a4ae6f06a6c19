// `npm run bench`: waxseal beside its peers in one run, each part in a process of its own. It prints; it fails on nothing
// but an error.
import { fork } from 'node:child_process'
import { GCM_SIZES } from './data.mjs'
import { report, save, saveTable } from './report.mjs'

/** The part and its rounds: what one part does to the heap and to compiled code is not to slow another one down. */
const PARTS = [
  ...GCM_SIZES.map((size) => [`gcm ${size}`, 9]),
  ['mac', 5],
  ['small messages', 9],
  ['large messages', 5],
  ['field values', 5],
]

const results = []
for (const [part, rounds] of PARTS) results.push(...(await measurePart(part, rounds)))
const data = report(results)
saveTable(data)
console.log(`\nAs JSON: ${save(data).pathname}`)

/** @returns {Promise<import('./rounds.mjs').Result[]>} */
function measurePart(part, rounds) {
  const child = fork(new URL('part.mjs', import.meta.url), [part, String(rounds)])
  let results
  child.on('message', (message) => (results = message))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0 && results !== undefined) resolve(results)
      else reject(new Error(`the part '${part}' ended with ${code}`))
    })
  })
}
