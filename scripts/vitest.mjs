// `node scripts/vitest.mjs PROJECT [vitest arguments]`: one vitest project. The last line counts its tests.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureInstalled, root, runNode } from './project.mjs'

/**
 * Runs one vitest project and prints its counts. Answers whether tests ran and all of them passed.
 * @param {string} project
 * @param {readonly string[]} [args]
 * @returns {boolean}
 */
export function runVitest(project, args = []) {
  const report = join(root, `build/test-results/${project}.json`)
  rmSync(report, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  let isOk = true
  try {
    runNode('node_modules/vitest/vitest.mjs', ['run', '--project', project, ...reporters, ...args])
  } catch {
    isOk = false
  }
  const { passed, failed } = countsOf(report, isOk)
  console.log(`${project}: ${passed} passed, ${failed} failed`)
  return failed === 0
}

/** A file that does not load has no tests, and a run that breaks has no report: each counts as one failure. */
function countsOf(report, isOk) {
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined
  const total = result?.numTotalTests ?? 0
  const passed = result?.numPassedTests ?? 0
  return { passed, failed: Math.max(total - passed, isOk && total > 0 ? 0 : 1) }
}

if (import.meta.filename === process.argv[1]) {
  const [project, ...args] = process.argv.slice(2)
  ensureInstalled()
  if (!runVitest(project, args)) process.exitCode = 1
}
