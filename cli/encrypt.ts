import { Command, Option } from 'commander'
import type { AlgorithmSuiteName, CommitmentPolicy, MessageHeader } from '../src/index.ts'
import { decrypt, encrypt, inspect } from '../src/index.ts'
import { kmsKeyring } from '../kms/index.ts'
import { contextPair, frameLength, suiteName } from './arguments.ts'
import { headerJson } from './header.ts'
import { readInput } from './input.ts'
import { assertNotForTerminal, note, print, writeOutput } from './output.ts'
import { withKms, type GlobalOptions } from './service.ts'

interface CryptOptions extends GlobalOptions {
  readonly input?: string
  readonly output?: string
  readonly context?: Record<string, string>
  readonly commitmentPolicy?: CommitmentPolicy
}

interface EncryptOptions extends CryptOptions {
  readonly key: string
  readonly suite?: AlgorithmSuiteName
  readonly frameLength?: number
}

export function encryptCommand(): Command {
  return crypt('encrypt', 'encrypt a file or standard input under a key of the KMS')
    .requiredOption('-k, --key <key>', 'id, ARN or alias/… of the key')
    .option(
      '--context <key=value>',
      'a pair that is authenticated with the message and readable in it; repeatable',
      contextPair,
    )
    .option('--suite <name>', 'algorithm suite, by name or id (default: 0x0478)', suiteName)
    .option('--frame-length <bytes>', 'plaintext bytes of each frame (default: 4096)', frameLength)
    .action(async (_, command: Command) => runEncrypt(command.optsWithGlobals<EncryptOptions>()))
}

export function decryptCommand(): Command {
  return crypt('decrypt', 'decrypt a message under the key of the KMS that it names')
    .option('--context <key=value>', 'a pair that the message must carry; repeatable', contextPair)
    .action(async (_, command: Command) => runDecrypt(command.optsWithGlobals<CryptOptions>()))
}

function crypt(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('-i, --input <file>', 'what to read (default: standard input)')
    .option('-o, --output <file>', 'what to write (default: standard output); there is no such file after a failure')
    .addOption(
      new Option('--commitment-policy <policy>', 'which suites are allowed').choices([
        'forbid-encrypt-allow-decrypt',
        'require-encrypt-allow-decrypt',
        'require-encrypt-require-decrypt',
      ] satisfies CommitmentPolicy[]),
    )
}

async function runEncrypt(options: EncryptOptions): Promise<void> {
  assertNotForTerminal(options.output)
  let header: MessageHeader | undefined
  await writeOutput(options.output, () =>
    withKms(options, async ({ provider }) => {
      const message = await encrypt(
        kmsKeyring({ provider, generatorKeyId: options.key }),
        await readInput(options.input),
        {
          encryptionContext: options.context,
          algorithmSuite: options.suite,
          frameLength: options.frameLength,
          commitmentPolicy: options.commitmentPolicy,
        },
      )
      header = inspect(message)
      return message
    }),
  )
  await reportHeader(options, header)
}

async function runDecrypt(options: CryptOptions): Promise<void> {
  let header: MessageHeader | undefined
  await writeOutput(options.output, () =>
    withKms(options, async ({ provider }) => {
      const result = await decrypt(kmsKeyring({ provider, discovery: true }), await readInput(options.input), {
        encryptionContext: options.context,
        commitmentPolicy: options.commitmentPolicy,
      })
      header = result.header
      return result.plaintext
    }),
  )
  await reportHeader(options, header)
}

/** With `--json`, one line about the message: on standard output, or beside it when that carries the data. */
async function reportHeader({ json, output }: CryptOptions, header: MessageHeader | undefined): Promise<void> {
  if (json !== true || header === undefined) return
  const line = JSON.stringify(headerJson(header))
  await (output === undefined || output === '-' ? note(line) : print(line))
}
