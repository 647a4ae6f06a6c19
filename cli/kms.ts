import { Command } from 'commander'
import type { Engine } from '../kms/engine/index.ts'
import { CommandError, printable } from './failure.ts'
import { print } from './output.ts'
import { withKms, type GlobalOptions } from './service.ts'

interface KeyOptions extends GlobalOptions {
  readonly key?: string
}

interface KeyEntry {
  readonly KeyId: string
  readonly KeyArn: string
  readonly Aliases: readonly string[]
}

export function kmsCommand(): Command {
  const kms = new Command('kms').description('make and list the keys of the KMS')
  for (const command of [createKey(), listKeys(), createAlias(), describeKey()]) kms.addCommand(command)
  return kms
}

function createKey(): Command {
  return new Command('create-key')
    .description('make a key and print its id; makes the KMS too when there is none')
    .option('--description <text>', 'what the key is for')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { readonly description?: string }>()
      const { KeyMetadata } = await withKms(
        options,
        ({ engine }) => engine.call('CreateKey', { Description: options.description }),
        { create: true },
      )
      await print(options.json === true ? JSON.stringify(KeyMetadata) : KeyMetadata.KeyId)
    })
}

function listKeys(): Command {
  return new Command('list-keys')
    .description('print the id of each key, and its aliases')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>()
      const keys = await withKms(options, ({ engine }) => allKeys(engine))
      if (options.json === true) return print(JSON.stringify(keys))
      for (const { KeyId, Aliases } of keys) await print([KeyId, Aliases.join(' ')].join('  ').trimEnd())
    })
}

function createAlias(): Command {
  return new Command('create-alias')
    .description('give a key a name')
    .argument('<alias>', 'the name: alias/…')
    .argument('[key]', 'id or ARN of the key')
    .option('-k, --key <key>', 'the same as the argument')
    .action(async (AliasName: string, key: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<KeyOptions>()
      const TargetKeyId = oneKey(key, options)
      await withKms(options, ({ engine }) => engine.call('CreateAlias', { AliasName, TargetKeyId }))
    })
}

function describeKey(): Command {
  return new Command('describe-key')
    .description('print what there is to know about a key')
    .argument('[key]', 'id, ARN or alias/… of the key')
    .option('-k, --key <key>', 'the same as the argument')
    .action(async (key: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<KeyOptions>()
      const KeyId = oneKey(key, options)
      const { KeyMetadata } = await withKms(options, ({ engine }) => engine.call('DescribeKey', { KeyId }))
      if (options.json === true) return print(JSON.stringify(KeyMetadata))
      const rows = Object.entries(JSON.parse(JSON.stringify(KeyMetadata)) as Record<string, unknown>)
      await print(rows.map(([name, value]) => `${name.padEnd(24)}${printable(String(value))}`.trimEnd()).join('\n'))
    })
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
