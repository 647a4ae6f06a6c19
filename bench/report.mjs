import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { PORTABLE_OPENSSL, gcmGroup } from './gcm.mjs'
import { AWS, messageGroup } from './message.mjs'

/** What the project promises: waxseal's operations a second over the peer's. */
const GOALS = [
  { group: gcmGroup(64), own: 'waxseal/core', peer: 'node:crypto', atLeast: 2 },
  { group: gcmGroup(65_536), own: 'waxseal/core', peer: PORTABLE_OPENSSL, atLeast: 1 },
  { group: messageGroup('encrypt', 64), own: 'waxseal', peer: AWS, atLeast: 30 },
  { group: messageGroup('decrypt', 64), own: 'waxseal', peer: AWS, atLeast: 30 },
]

/**
 * Prints the table and the goals, and answers the same as data.
 * @param {import('./rounds.mjs').Result[]} results
 */
export function report(results) {
  const rows = results.map((result) => ({
    ...result,
    ratio: ownOpsPerSecond(results, result.group) / result.opsPerSecond,
  }))
  const goals = GOALS.map((goal) => ({ ...goal, ratio: ratioOf(results, goal) }))
  printTable(rows)
  printGoals(goals)
  return { node: process.version, cpu: cpus()[0]?.model, date: new Date().toISOString(), results: rows, goals }
}

/** Writes bench/results/<time>.json and answers its path. */
export function save(data) {
  const folder = new URL('results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const file = new URL(`${data.date.replaceAll(':', '-')}.json`, folder)
  writeFileSync(file, JSON.stringify(data, null, 2))
  return file
}

const CORE = 'waxseal/core'
const NODE = 'node:crypto'

/** Rows of the README's table: what is done, by which case of which group, beside which peer. */
const README_ROWS = [
  ['Encrypt a message of 64 B (0x0478, raw AES keyring)', messageGroup('encrypt', 64), 'waxseal', AWS],
  ['Decrypt it', messageGroup('decrypt', 64), 'waxseal', AWS],
  ['Encrypt a message of 1 MiB', messageGroup('encrypt', 1_048_576), 'waxseal', AWS],
  ['The core: AES-256-GCM of 64 B, key cached', gcmGroup(64), CORE, NODE],
  ['The core: AES-256-GCM of 64 KiB, no AES instructions either', gcmGroup(65_536), CORE, PORTABLE_OPENSSL],
  ['The core: AES-256-GCM of 64 KiB against AES instructions', gcmGroup(65_536), CORE, NODE],
]

/** Writes the README's table, for `npm run readme`. */
export function saveTable({ node, cpu, results }) {
  const microseconds = (ops) => `${(1e6 / ops).toFixed(1)} µs`
  const rows = README_ROWS.map(([what, group, own, peer]) => {
    const find = (name) => results.find((result) => result.group === group && result.name === name)?.opsPerSecond
    const [ours, theirs] = [find(own), find(peer)]
    const isMeasured = ours !== undefined && theirs !== undefined
    const times = isMeasured ? `${(ours / theirs).toFixed(1)} times as fast` : 'not measured'
    const named = theirs === undefined ? '–' : `${microseconds(theirs)}, \`${peer}\``
    return [what, ours === undefined ? '–' : microseconds(ours), named, times]
  })
  const table = [['What', 'waxseal', 'Peer', 'waxseal is'], ['---', '---:', '---', '---:'], ...rows]
  const lines = table.map((row) => `| ${row.join(' | ')} |`)
  const folder = new URL('../build/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const head = `Medians of one run, Node ${node.slice(1)}, ${cpus().length} × ${cpu}:`
  writeFileSync(fileURLToPath(new URL('bench.md', folder)), `${head}\n\n${lines.join('\n')}\n`)
}

/** The first case of a group is waxseal's. */
function ownOpsPerSecond(results, group) {
  return results.find((result) => result.group === group).opsPerSecond
}

function ratioOf(results, { group, own, peer }) {
  const find = (name) => results.find((result) => result.group === group && result.name === name)?.opsPerSecond
  return find(own) / find(peer)
}

function printTable(rows) {
  console.log('\nMedian over the rounds. Ratio: how many times as fast as this peer waxseal is.\n')
  let group
  for (const row of rows) {
    if (row.group !== group) console.log(`${group === undefined ? '' : '\n'}${row.group}`)
    group = row.group
    const microseconds = (1e6 / row.opsPerSecond).toFixed(2).padStart(12)
    console.log(`  ${row.name.padEnd(30)}${microseconds} µs ${row.ratio.toFixed(2).padStart(9)}`)
  }
}

function printGoals(goals) {
  console.log('\nGoals')
  for (const { group, own, peer, atLeast, ratio } of goals) {
    const outcome = Number.isFinite(ratio) ? `${ratio.toFixed(2)} times` : 'not measured on this machine'
    const verdict = ratio >= atLeast ? 'met' : 'NOT met'
    console.log(`  ${group}: ${own} against ${peer}: ${outcome} (goal: at least ${atLeast}, ${verdict})`)
  }
}
