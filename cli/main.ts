import { readFileSync } from 'node:fs'
import { CommanderError } from 'commander'
import { waxseal } from './commands.ts'
import { EXIT_CODES, lineOf, outcomeOf } from './failure.ts'
import { removeUnfinishedOutput } from './output-file.ts'
import { commandOf } from './program.ts'
import { releasePipes } from './source.ts'

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return manifest.version
}

function interrupt(): void {
  removeUnfinishedOutput()
  releasePipes()
  process.stderr.write('waxseal: interrupted\n')
  process.exit(EXIT_CODES.interrupted)
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT_CODES.ok
    process.stderr.write(`waxseal: ${lineOf(error).replace(/^error: /, '')}\n`)
    return EXIT_CODES.usage
  }
  // Whoever read standard output has enough of it: like other filters, no more words about that.
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return EXIT_CODES.other
  process.stderr.write(`waxseal: ${lineOf(error)}\n`)
  return EXIT_CODES[outcomeOf(error)]
}

/** Users of a command can do nothing about features of Node that are experimental, such as its SQLite. */
function silenceExperimentalWarnings(): void {
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') process.stderr.write(`waxseal: ${lineOf(warning)}\n`)
  })
}

async function main(): Promise<void> {
  silenceExperimentalWarnings()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt)
  // Failed writes are reported by the call that wrote; without a listener they would also end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  try {
    await commandOf(waxseal).version(version()).parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
}

void main()
