import type { Engine } from '../kms/engine/index.ts'
import { auditRow } from './audit.ts'
import type { CommandRow, OptionRow } from './command.ts'
import { CommandError, printable } from './failure.ts'
import { print } from './output.ts'
import { ACCOUNT_OPTION, REGION_OPTION, withKms, type KmsOptions } from './service.ts'

interface KeyOptions extends KmsOptions {
  readonly key?: string
}

interface KeyEntry {
  readonly KeyId: string
  readonly KeyArn: string
  readonly Aliases: readonly string[]
}

const KEY_ARGUMENT = { name: '[key]', text: 'id, ARN or alias/… of the key' } as const
const KEY_OPTION: OptionRow = { flags: '-k, --key <key>', text: 'the same as the argument' }

const createKey: CommandRow = {
  name: 'create-key',
  text: 'make a key and print its id; makes the KMS too when there is none',
  options: [{ flags: '--description <text>', text: 'what the key is for' }],
  examples: [{ text: 'Make a key and keep its id.', line: "KEY=$(waxseal kms create-key --description 'payroll')" }],
  async run(options: KmsOptions & { readonly description?: string }) {
    const { KeyMetadata } = await withKms(
      options,
      ({ engine }) => engine.call('CreateKey', { Description: options.description }),
      { create: true },
    )
    await print(options.json === true ? JSON.stringify(KeyMetadata) : KeyMetadata.KeyId)
  },
}

const listKeys: CommandRow = {
  name: 'list-keys',
  text: 'print the id of each key, and its aliases',
  examples: [{ text: 'The ids alone.', line: "waxseal kms list-keys --json | jq -r '.[].KeyId'" }],
  async run(options: KmsOptions) {
    const keys = await withKms(options, ({ engine }) => allKeys(engine))
    if (options.json === true) return print(JSON.stringify(keys))
    for (const { KeyId, Aliases } of keys) await print([KeyId, Aliases.join(' ')].join('  ').trimEnd())
  },
}

const createAlias: CommandRow = {
  name: 'create-alias',
  text: 'give a key a name',
  arguments: [{ name: '<alias>', text: 'the name: alias/…' }, KEY_ARGUMENT],
  options: [KEY_OPTION],
  examples: [{ text: 'Name the key of the example above.', line: 'waxseal kms create-alias alias/payroll "$KEY"' }],
  async run(options: KeyOptions, [AliasName = '', key]) {
    const TargetKeyId = oneKey(key, options)
    await withKms(options, ({ engine }) => engine.call('CreateAlias', { AliasName, TargetKeyId }))
  },
}

const describeKey: CommandRow = {
  name: 'describe-key',
  text: 'print what there is to know about a key',
  arguments: [KEY_ARGUMENT],
  options: [KEY_OPTION],
  examples: [{ text: 'By its name.', line: 'waxseal kms describe-key alias/payroll' }],
  async run(options: KeyOptions, [key]) {
    const KeyId = oneKey(key, options)
    const { KeyMetadata } = await withKms(options, ({ engine }) => engine.call('DescribeKey', { KeyId }))
    if (options.json === true) return print(JSON.stringify(KeyMetadata))
    const rows = Object.entries(JSON.parse(JSON.stringify(KeyMetadata)) as Record<string, unknown>)
    await print(rows.map(([name, value]) => `${name.padEnd(24)}${printable(String(value))}`.trimEnd()).join('\n'))
  },
}

export const kmsRow: CommandRow = {
  name: 'kms',
  text: 'make and list the keys of the KMS',
  options: [ACCOUNT_OPTION, REGION_OPTION],
  commands: [createKey, listKeys, createAlias, describeKey, auditRow],
}

function oneKey(argument: string | undefined, { key }: KeyOptions): string {
  const [name, ...more] = [argument, key].filter((given) => given !== undefined)
  if (name === undefined || more.length > 0) throw new CommandError('usage', 'name one key, by its id, ARN or alias/…')
  return name
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
