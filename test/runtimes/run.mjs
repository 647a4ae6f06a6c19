// `npm run test:runtimes [-- NAME…] [-- --all]`: the conformance suite on the packed package in every runtime that the
// machine has, or in those whose names contain NAME. With --all, or CI=true, none may be missing.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureInstalled, ensurePackage, ensureTools, root } from '../../scripts/project.mjs'
import { table } from './table.mjs'

const args = process.argv.slice(2)
const names = args.filter((arg) => !arg.startsWith('--')).map((name) => name.toLowerCase())
const isComplete = args.includes('--all') || process.env.CI === 'true'

ensureInstalled()
ensurePackage()
try {
  ensureTools('test/runtimes')
} catch (error) {
  console.error(`The runtimes of test/runtimes/package.json could not be installed: ${error.message}`)
}
const { makeFolder, makeInput } = await import('./setup.mjs')
const { makeSite } = await import('./site.mjs')
const { allRunners } = await import('./runners/index.mjs')
const { measureStarts } = await import('./starts.mjs')

const folder = await makeFolder()
await makeSite(folder)
const input = makeInput()
const isNamed = ({ name }) => names.length === 0 || names.some((part) => name.toLowerCase().includes(part))
const outcomes = []
for (const runner of allRunners.filter(isNamed)) {
  const version = await versionOf(runner)
  const outcome = version ? await attempt(runner, input) : undefined
  outcomes.push({ runner, version, outcome })
  const text = outcome ? `${outcome.cases} cases, ${outcome.failures.length} failed` : 'not found'
  console.log(`${runner.name} ${version || ''}: ${text}`)
}
const found = outcomes.filter(({ outcome }) => outcome !== undefined)
const missing = outcomes.filter(({ outcome }) => outcome === undefined).map(({ runner }) => runner.name)
const matrix = await exchange()
const starts = await measureStarts(
  folder,
  found.map(({ runner }) => runner),
)

const text = [
  table(
    ['Runtime', 'Version', 'Cases', 'Failures', 'Time'],
    found.map(({ runner, version, outcome: { cases, failures, milliseconds } }) => {
      return [runner.name, version, cases, failures.length, `${(milliseconds / 1000).toFixed(1)} s`]
    }),
  ),
  `Messages written in each of ${matrix.runtimes} runtimes and read in each: ${matrix.cases} read, ${matrix.failures} failed.`,
  starts.text,
  'Medians of five fresh processes, isolates or pages, above their own start; the import of a page is its load as well.',
  ...(missing.length === 0 ? [] : [`Not found: ${missing.join(', ')}`]),
].join('\n\n')
console.log(`\n${text}\n`)
mkdirSync(join(root, 'build'), { recursive: true })
writeFileSync(join(root, 'build/runtimes.md'), `${text}\n`)

const cases = sum(found.map(({ outcome }) => outcome.cases)) + matrix.cases
const failures = sum(found.map(({ outcome }) => outcome.failures.length)) + matrix.failures + starts.failures
const failed = failures + (isComplete ? missing.length : 0) + (found.length === 0 ? 1 : 0)
console.log(`runtimes: ${cases - failures + starts.failures} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

/** What is not installed has no version. */
async function versionOf(runner) {
  try {
    return await runner.version()
  } catch {
    return undefined
  }
}

/** A runner that does not come to an end has failed one case. */
async function attempt(runner, work) {
  const started = performance.now()
  try {
    const report = await runner.conform(folder, { ...work, runtime: runner.runtime })
    for (const { name, reason } of report.failures) console.error(`FAILED ${runner.name}: ${name}: ${reason}`)
    if (report.cases === 0) throw new Error('no case ran')
    return { ...report, milliseconds: performance.now() - started }
  } catch (error) {
    console.error(`FAILED ${runner.name}: ${error.message}`)
    const failures = [{ name: 'the run', reason: error.message }]
    return { cases: 1, failures, written: {}, milliseconds: performance.now() - started }
  }
}

/** Every runtime reads what each of them has written. */
async function exchange() {
  const parties = found.filter(({ runner }) => runner.exchanges)
  const written = Object.fromEntries(parties.map(({ runner, outcome }) => [runner.name, outcome.written]))
  const reports = []
  for (const { runner } of parties) {
    reports.push(await attempt(runner, { ...input, core: undefined, messages: [], written }))
  }
  const failures = sum(reports.map(({ failures }) => failures.length))
  return { runtimes: parties.length, cases: sum(reports.map(({ cases }) => cases)), failures }
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0)
}
