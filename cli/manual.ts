import { flagsOf, namesOf, type CommandRow, type Example, type OptionRow } from './command.ts'
import { EXIT_CODE_TEXTS } from './failure.ts'
import { print } from './output.ts'

const ENVIRONMENT: readonly (readonly [name: string, text: string])[] = [
  ['WAXSEAL_HOME', 'the directory of the KMS, where --kms is not given'],
  ['XDG_DATA_HOME', 'where the KMS is if neither is given: in waxseal below it. Windows: LOCALAPPDATA'],
  ['XDG_CONFIG_HOME', 'where root keys are: in waxseal/root-keys below it. Windows: APPDATA'],
  ['WAXSEAL_ROOT_ACCESS_KEY_ID', 'the access key of the account root that serve knows, with the next one'],
  ['WAXSEAL_ROOT_SECRET_ACCESS_KEY', 'its secret; it is written nowhere'],
  ['WAXSEAL_WEBHOOK_SECRET', 'what serve --webhook signs with'],
]

export function manualRow(root: () => CommandRow): CommandRow {
  return {
    name: 'manual',
    text: 'print the manual page',
    examples: [{ text: 'Read it where it is not installed.', line: 'waxseal manual | man -l -' }],
    run: async () => print(manualPage(root()).trimEnd()),
  }
}

/** The manual page of a table, for man(1): macros of man(7). */
export function manualPage(root: CommandRow): string {
  const name = root.name.toUpperCase()
  const commands = (root.commands ?? []).flatMap((row) => commandsBelow(row, `${root.name} ${row.name}`))
  return [
    `.TH ${name} 1`,
    '.SH NAME',
    `${text(root.name)} \\- ${text(root.text.replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    ...commands.filter(({ row }) => row.commands === undefined).flatMap(({ row, path }) => synopsis(row, path)),
    '.SH DESCRIPTION',
    ...paragraphs(root),
    '.SH OPTIONS OF EVERY COMMAND',
    ...(root.options ?? []).flatMap(optionLines),
    '.SH COMMANDS',
    ...commands.flatMap(({ row, path }) => commandLines(row, path)),
    '.SH EXIT STATUS',
    ...EXIT_CODE_TEXTS.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, text(meaning)]),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([variable, meaning]) => ['.TP', `.B ${variable}`, text(meaning)]),
    '',
  ].join('\n')
}

interface Place {
  readonly row: CommandRow
  readonly path: string
}

/** The commands, each group that has options of its own before those that take them too. */
function commandsBelow(row: CommandRow, path: string): Place[] {
  if (row.commands === undefined) return [{ row, path }]
  const below = row.commands.flatMap((command) => commandsBelow(command, `${path} ${command.name}`))
  return row.options === undefined ? below : [{ row, path }, ...below]
}

function synopsis(row: CommandRow, path: string): string[] {
  const required = (row.options ?? []).filter(({ isRequired }) => isRequired).map(({ flags }) => flags)
  const words = [...required, '[options]', ...(row.arguments ?? []).map(({ name }) => name)]
  return [`.B ${text(path)}`, text(words.join(' ')), '.br']
}

function commandLines(row: CommandRow, path: string): string[] {
  return [
    `.SS ${text(path)}`,
    ...paragraphs(row),
    ...(row.arguments ?? []).flatMap((argument) => ['.TP', `.I ${text(argument.name)}`, text(argument.text)]),
    ...(row.options ?? []).flatMap(optionLines),
    ...(row.examples ?? []).flatMap(exampleLines),
  ]
}

function paragraphs(row: CommandRow): string[] {
  const sentence = `${row.text.charAt(0).toUpperCase()}${row.text.slice(1).replace(/\.$/, '')}.`
  return [sentence, ...(row.details ?? [])].flatMap((paragraph) => ['.PP', text(paragraph)])
}

function optionLines(option: OptionRow): string[] {
  const { value, isVariadic } = flagsOf(option)
  const names = namesOf(option)
    .map((name) => `\\fB${text(name)}\\fR`)
    .join(', ')
  const shown = value === undefined ? '' : ` \\fI${text(value)}\\fR${isVariadic ? '...' : ''}`
  const choices = option.choices === undefined ? '' : ` (${option.choices.join(', ')})`
  return ['.TP', `${names}${shown}`, text(`${option.text}${choices}`)]
}

function exampleLines(example: Example): string[] {
  return ['.PP', text(example.text), '.PP', '.nf', `.RS`, text(example.line), '.RE', '.fi']
}

/** Text that no request and no escape of roff is read from. */
function text(plain: string): string {
  const escaped = plain.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replaceAll('`', '\\(ga')
  return escaped.replaceAll(/^(?=\.)/gm, '\\&')
}
