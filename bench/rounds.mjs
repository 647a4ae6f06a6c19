import benny from 'benny'

/** Of each case and round: enough for a median, little enough for the whole matrix in about two minutes. */
const CASE_OPTIONS = { minTime: 0.01, maxTime: 0.1, minSamples: 5 }

/**
 * @typedef {object} Case One peer doing one thing.
 * @property {string} name
 * @property {() => unknown} run Does it once, or `perRun` times; may answer a promise.
 * @property {number} [perRun]
 *
 * @typedef {object} Group Cases that do the same thing, the first of them waxseal's.
 * @property {string} name
 * @property {Case[]} cases
 * @property {() => Promise<Record<string, number>>} [child] Peers in a process of their own: name → operations a second.
 *
 * @typedef {{ group: string, name: string, opsPerSecond: number }} Result
 */

/**
 * Measures every case of every group, round after round, so that a slow minute of the machine meets all peers alike.
 * @param {Group[]} groups
 * @param {number} rounds
 * @returns {Promise<Result[]>} the median over the rounds
 */
export async function measure(groups, rounds) {
  const samples = new Map()
  const record = (group, name, value) => {
    const key = JSON.stringify([group, name])
    samples.set(key, [...(samples.get(key) ?? []), value])
  }
  for (let round = 1; round <= rounds; round++) {
    for (const group of groups) {
      for (const [name, value] of await measureOnce(group, `${group.name}, round ${round} of ${rounds}`)) {
        record(group.name, name, value)
      }
    }
  }
  return [...samples].map(([key, values]) => {
    const [group, name] = JSON.parse(key)
    return { group, name, opsPerSecond: median(values) }
  })
}

async function measureOnce({ cases, child }, title) {
  const entries = cases.map(({ name, run }) => benny.add(name, () => run, CASE_OPTIONS))
  const { results } = await benny.suite(title, ...entries)
  const own = results.map(({ name, ops }, index) => [name, ops * (cases[index].perRun ?? 1)])
  return child === undefined ? own : [...own, ...Object.entries(await child())]
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
