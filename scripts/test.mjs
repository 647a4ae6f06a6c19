// `npm test`: installs what is missing, compiles the core when its sources changed, then the checks and the tests of
// the sources. The tests of the built package have scripts of their own; `.ci/run` runs all of them.
import { ensureCore, ensureInstalled } from './project.mjs'

ensureInstalled()
ensureCore()
const { runChecks } = await import('./check.mjs')
const { runVitest } = await import('./vitest.mjs')
const args = process.argv.slice(2)
const isChecked = args.length > 0 || (await runChecks())
if (!runVitest('library', args) || !isChecked) process.exitCode = 1
