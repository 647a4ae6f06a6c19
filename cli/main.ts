import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { decryptCommand, encryptCommand } from './encrypt.ts'
import { EXIT_CODES, lineOf, outcomeOf } from './failure.ts'
import { inspectCommand } from './inspect.ts'
import { kmsCommand } from './kms.ts'
import { removeUnfinishedOutput } from './output.ts'

const EXIT_CODE_HELP = `
Exit codes: 0 ok, 1 other failure, 2 wrong use of the command, 3 authentication failed, 4 not a message of this format,
5 key or KMS unavailable, 6 refused by policy or a required context pair, 130 interrupted.`

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return manifest.version
}

function waxseal(): Command {
  const program = new Command('waxseal')
    .description('Encrypts and decrypts data in the AWS Encryption SDK message format, under keys of a KMS.')
    .version(version())
    .option('--kms <directory>', 'the KMS to use (default: $WAXSEAL_HOME, else waxseal in your data directory)')
    .option('--root-key <file>', 'the root key of the KMS, where it is not in its default place')
    .option('--json', 'print what there is to print as JSON')
    .addHelpText('after', EXIT_CODE_HELP)
  for (const command of [encryptCommand(), decryptCommand(), inspectCommand(), kmsCommand()])
    program.addCommand(command)
  return program
}

/** Settings of every command: those that are added to another do not inherit them. */
function configure(command: Command): void {
  // A failure is reported in one line, by `report`.
  command.exitOverride().configureOutput({ outputError: () => undefined })
  command.configureHelp({ showGlobalOptions: true })
  if (command.commands.length > 0) command.allowExcessArguments().action(() => refuseNoCommand(command))
  for (const subcommand of command.commands) configure(subcommand)
}

function refuseNoCommand(command: Command): never {
  const [given] = command.args
  const names = command.commands.map((subcommand) => subcommand.name()).join(', ')
  command.error(given === undefined ? `name a command: ${names}` : `unknown command '${given}': there are ${names}`)
}

function interrupt(): void {
  removeUnfinishedOutput()
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
  const program = waxseal()
  configure(program)
  try {
    await program.parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
}

void main()
