import type { AlgorithmSuiteName, CommitmentPolicy, MessageHeader } from '../src/index.ts'
import { algorithmSuites, decrypt, encrypt, inspect } from '../src/index.ts'
import { kmsKeyring } from '../kms/index.ts'
import { contextPair, frameLength, suiteName } from './arguments.ts'
import type { CommandRow, OptionRow } from './command.ts'
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

const POLICIES: readonly CommitmentPolicy[] = [
  'forbid-encrypt-allow-decrypt',
  'require-encrypt-allow-decrypt',
  'require-encrypt-require-decrypt',
]

const FILES: readonly OptionRow[] = [
  { flags: '-i, --input <file>', text: 'what to read (default: standard input)', completes: 'file' },
  {
    flags: '-o, --output <file>',
    text: 'what to write (default: standard output); there is no such file after a failure',
    completes: 'file',
  },
  { flags: '--commitment-policy <policy>', text: 'which suites are allowed', choices: POLICIES },
]

export const encryptRow: CommandRow = {
  name: 'encrypt',
  text: 'encrypt a file or standard input under a key of the KMS',
  options: [
    ...FILES,
    { flags: '-k, --key <key>', text: 'id, ARN or alias/… of the key', isRequired: true },
    {
      flags: '--context <key=value>',
      text: 'a pair that is authenticated with the message and readable in it; repeatable',
      parse: contextPair,
    },
    {
      flags: '--suite <name>',
      text: 'algorithm suite, by name or id (default: 0x0478)',
      parse: suiteName,
      completes: algorithmSuites.map(({ name }) => name),
    },
    { flags: '--frame-length <bytes>', text: 'plaintext bytes of each frame (default: 4096)', parse: frameLength },
  ],
  examples: [
    {
      text: 'A file, with a pair of context.',
      line: 'waxseal encrypt -i letter -o letter.wax --key alias/demo --context tenant=a',
    },
  ],
  run: runEncrypt,
}

export const decryptRow: CommandRow = {
  name: 'decrypt',
  text: 'decrypt a message under the key of the KMS that it names',
  options: [
    ...FILES,
    { flags: '--context <key=value>', text: 'a pair that the message must carry; repeatable', parse: contextPair },
  ],
  examples: [
    {
      text: 'A file, if its context has the pair.',
      line: 'waxseal decrypt -i letter.wax -o letter --context tenant=a',
    },
  ],
  run: runDecrypt,
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
