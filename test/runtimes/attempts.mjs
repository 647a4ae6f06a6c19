// For runners without a test framework: each attempt prints its line, and the last line counts.
const outcomes = []

/**
 * @param {string} title
 * @param {() => Promise<void>} act throws when something is not so
 * @param {() => string} [output] what to show beside the error
 */
export async function attempt(title, act, output = () => '') {
  try {
    await act()
    outcomes.push(true)
    console.log(`ok     ${title}`)
  } catch (error) {
    outcomes.push(false)
    console.log(`FAILED ${title}: ${error.stack}\n${output()}`)
  }
}

export function equal(actual, expected) {
  if (actual !== expected) throw new Error(`${String(actual)}, not ${String(expected)}`)
}

/** Ends the process. */
export function finish(name) {
  const failed = outcomes.filter((isOk) => !isOk).length
  console.log(`${name}: ${outcomes.length - failed} passed, ${failed} failed`)
  process.exit(failed === 0 ? 0 : 1)
}
