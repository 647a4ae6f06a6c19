// What the import of the library and a first decrypt take in a fresh process, isolate or page, above its own start.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../../scripts/project.mjs'
import { execute } from './processes.mjs'
import { askPage } from './server.mjs'
import { table } from './table.mjs'

/** Of so many runs the median counts. */
const RUNS = 5

/**
 * Measures each of the runtimes that can be measured and answers a table, with Amazon's library on Node beside it.
 * @param {string} folder where the package is installed
 * @param {readonly { name: string, command?: readonly string[], open?: Function, time?: Function }[]} runners
 * @returns {Promise<{ text: string, failures: number }>}
 */
export async function measureStarts(folder, runners) {
  const input = await startMessage(folder)
  const rows = []
  let failures = 0
  for (const [library, name, measure] of runners.flatMap((runner) => measurements(folder, input, runner))) {
    try {
      rows.push([library, name, ...(await medians(measure))])
    } catch (error) {
      console.error(`FAILED start of ${library} in ${name}: ${error.message}`)
      failures += 1
    }
  }
  return { text: table(['Library', 'Runtime', 'Import', 'First decrypt', 'Both'], rows), failures }
}

function measurements(folder, input, { name, command, open, time }) {
  const run = async (file, ...rest) => {
    const [program, ...args] = [...command, file, ...Object.values(input), ...rest]
    return JSON.parse(await execute(program, args, { cwd: folder }))
  }
  const list = []
  if (command) list.push(['waxseal', name, () => run('start-process.mjs')])
  if (command && name.startsWith('Node')) {
    list.push(['@aws-crypto/client-node', name, () => run('start-amazon.mjs', join(root, 'package.json'))])
  }
  if (open) list.push(['waxseal', name, () => askPage(join(folder, 'site'), 'start.html', input, open)])
  if (time) list.push(['waxseal', name, () => time(folder, input)])
  return list
}

async function startMessage(folder) {
  const { encrypt, rawAesKeyring } = await import(pathToFileURL(join(folder, 'node_modules/waxseal/dist/index.js')))
  const wrappingKey = new Uint8Array(32).fill(7)
  const message = await encrypt(rawAesKeyring({ namespace: 'start', name: 'k', wrappingKey }), new Uint8Array(64))
  const base64 = (bytes) => Buffer.from(bytes).toString('base64')
  return { message: base64(message), wrappingKey: base64(wrappingKey) }
}

/** Import, first decrypt and both; the first two may not be known. */
async function medians(measure) {
  const runs = []
  while (runs.length < RUNS) runs.push(await measure())
  const times = runs.map((run) => ({ both: run.import + run.decrypt, ...run }))
  return ['import', 'decrypt', 'both'].map((part) => show(median(times.map((run) => run[part]))))
}

function median(numbers) {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
}

function show(milliseconds) {
  return milliseconds === undefined ? '–' : `${milliseconds.toFixed(1)} ms`
}
