import type { Engine } from '../kms/engine/index.ts'
import { rotateLocalRootKey } from '../kms/providers/local.ts'
import { inputOf, KEY_ARGUMENT, keyOptions, oneKey, type KeyOptions, type MemberOption } from './action-command.ts'
import { auditRow } from './audit.ts'
import type { CommandRow } from './command.ts'
import { CommandError, jsonOf, printable } from './failure.ts'
import { KEY_POLICY, KEY_TAGS, KMS_ACTION_COMMANDS } from './kms-actions.ts'
import { print } from './output.ts'
import { ACCOUNT_OPTION, directoryOf, REGION_OPTION, withKms, type KmsOptions } from './service.ts'

interface KeyEntry {
  readonly KeyId: string
  readonly KeyArn: string
  readonly Aliases: readonly string[]
}

const CREATE_OPTIONS: readonly MemberOption[] = [
  { flags: '--description <text>', text: 'what the key is for' },
  { flags: '--key-spec <spec>', text: 'RSA_2048, ECC_NIST_P256, HMAC_256, … (default: SYMMETRIC_DEFAULT)' },
  { flags: '--key-usage <usage>', text: 'SIGN_VERIFY, GENERATE_VERIFY_MAC, … (default: ENCRYPT_DECRYPT)' },
  { flags: '--origin <origin>', text: 'where the material comes from (default: AWS_KMS, which is this KMS)' },
  KEY_POLICY,
  KEY_TAGS,
  { flags: '--multi-region', text: 'make a key that other Regions may have, too' },
]

const createKey: CommandRow = {
  name: 'create-key',
  text: 'make a key and print its id; makes the KMS too when there is none',
  options: CREATE_OPTIONS,
  examples: [{ text: 'Make a key and keep its id.', line: "KEY=$(waxseal kms create-key --description 'payroll')" }],
  async run(options: KmsOptions) {
    const input = await inputOf(CREATE_OPTIONS, options)
    const { KeyMetadata } = await withKms(options, ({ engine }) => engine.call('CreateKey', input), { create: true })
    await print(options.json === true ? jsonOf(KeyMetadata) : KeyMetadata.KeyId)
  },
}

const listKeys: CommandRow = {
  name: 'list-keys',
  text: 'print the id of each key, and its aliases',
  examples: [{ text: 'The ids alone.', line: "waxseal kms list-keys --json | jq -r '.[].KeyId'" }],
  async run(options: KmsOptions) {
    const keys = await withKms(options, ({ engine }) => allKeys(engine))
    if (options.json === true) return print(jsonOf(keys))
    for (const { KeyId, Aliases } of keys) await print([KeyId, Aliases.join(' ')].join('  ').trimEnd())
  },
}

const createAlias: CommandRow = {
  name: 'create-alias',
  text: 'give a key a name',
  arguments: [{ name: '[alias]', text: 'the name: alias/…' }, KEY_ARGUMENT],
  options: [{ flags: '--alias-name <alias>', text: 'the same as the argument' }, ...keyOptions('TargetKeyId')],
  examples: [{ text: 'Name the key of the example above.', line: 'waxseal kms create-alias alias/payroll "$KEY"' }],
  async run({ aliasName, ...options }: KeyOptions & { readonly aliasName?: string }, names) {
    const [AliasName, key] = aliasName === undefined ? names : [aliasName, ...names]
    if (AliasName === undefined) throw new CommandError('usage', 'name the alias: alias/…')
    const TargetKeyId = oneKey(key, options)
    await withKms(options, ({ engine }) => engine.call('CreateAlias', { AliasName, TargetKeyId }))
  },
}

const describeKey: CommandRow = {
  name: 'describe-key',
  text: 'print what there is to know about a key',
  arguments: [KEY_ARGUMENT],
  options: keyOptions('KeyId'),
  examples: [{ text: 'By its name.', line: 'waxseal kms describe-key alias/payroll' }],
  async run(options: KeyOptions, [key]) {
    const KeyId = oneKey(key, options)
    const { KeyMetadata } = await withKms(options, ({ engine }) => engine.call('DescribeKey', { KeyId }))
    if (options.json === true) return print(jsonOf(KeyMetadata))
    const rows = Object.entries(JSON.parse(JSON.stringify(KeyMetadata)) as Record<string, unknown>)
    await print(rows.map(([name, value]) => `${name.padEnd(24)}${printable(String(value))}`.trimEnd()).join('\n'))
  },
}

const rotateRoot: CommandRow = {
  name: 'rotate-root',
  text: 'put the KMS under a new root key; stop whatever has it open first',
  details: [
    'The keys in the KMS stay, and so do those of its log and of grant tokens: whoever had the old root key and the database may have them.',
  ],
  examples: [{ text: 'Then destroy the old key, with the copies that it opens.', line: 'waxseal kms rotate-root' }],
  async run({ kms, rootKey, account, region, json }: KmsOptions) {
    const files = await rotateLocalRootKey({ directory: directoryOf(kms), rootKeyFile: rootKey, account, region })
    if (json === true) return print(jsonOf(files))
    await print(
      `The KMS is under a new root key: ${printable(files.rootKeyFile)}\n` +
        `The old one opens copies from before, with what was deleted since: ${printable(files.oldRootKeyFile)}\n` +
        'Destroy it when nobody needs them any more.',
    )
  },
}

const confirmTime: CommandRow = {
  name: 'confirm-time',
  text: 'say that the time is right, and have deleted what is due',
  details: [
    'A KMS that was not open for seven days, or whose clock jumps ahead, deletes nothing until then: the clock may be wrong. ' +
      'A server that has the KMS open goes on within a minute.',
  ],
  examples: [{ text: 'After a look at the clock.', line: 'date && waxseal kms confirm-time' }],
  async run(options: KmsOptions) {
    await withKms(options, async ({ engine }) => {
      engine.confirmTime()
      await engine.runDueWork()
    })
  },
}

export const kmsRow: CommandRow = {
  name: 'kms',
  text: 'manage the keys of the KMS, and read its log',
  details: [
    'Commands, options and JSON answers are those of `aws kms`; create-key, list-keys and describe-key print JSON with --json.',
  ],
  options: [ACCOUNT_OPTION, REGION_OPTION],
  commands: [createKey, listKeys, createAlias, describeKey, ...KMS_ACTION_COMMANDS, rotateRoot, confirmTime, auditRow],
}

async function allKeys(engine: Engine): Promise<KeyEntry[]> {
  const keys = await everyPage((Marker) => engine.call('ListKeys', { Marker }))
  const aliases = await everyPage((Marker) => engine.call('ListAliases', { Marker }))
  return keys
    .flatMap((page) => page.Keys)
    .map((key) => {
      const ofKey = aliases.flatMap((page) => page.Aliases).filter(({ TargetKeyId }) => TargetKeyId === key.KeyId)
      return { ...key, Aliases: ofKey.map(({ AliasName }) => AliasName) }
    })
}

async function everyPage<Page extends { readonly NextMarker?: string }>(
  load: (marker: string | undefined) => Promise<Page>,
): Promise<Page[]> {
  const pages: Page[] = []
  for (let marker: string | undefined; ;) {
    const page = await load(marker)
    pages.push(page)
    if (page.NextMarker === undefined) return pages
    marker = page.NextMarker
  }
}
