// `npm start`: from a fresh clone to a first message, in words.
import { ensureInstalled, ensurePackage, runNode } from './project.mjs'

try {
  console.log(
    'Waxseal encrypts data in the format of the AWS Encryption SDK, under keys of a KMS that it brings along.\n',
  )
  step('Installing the development tools', () => ensureInstalled({ quiet: true }))
  step('Building waxseal', () => ensurePackage({ quiet: true }))
  console.log('')
  runNode('examples/first-message.mjs')
} catch (error) {
  console.error(`\nThat did not work: ${error.message}`)
  process.exitCode = 1
}

function step(title, act) {
  process.stdout.write(`${title} … `)
  const started = performance.now()
  const wasNeeded = act()
  console.log(wasNeeded ? `done in ${((performance.now() - started) / 1000).toFixed(0)} s` : 'done before')
}
