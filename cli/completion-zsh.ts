import { completionOf, flagsOf, namesOf, type ArgumentRow, type OptionRow } from './command.ts'
import type { CompletionPlace } from './completion.ts'

/** A script for zsh, to be read after compinit or as the file `_waxseal` of its function path. */
export function zshCompletion(places: readonly CompletionPlace[]): string {
  return `#compdef waxseal
${places.map(functionOf).join('\n')}
if [[ $funcstack[1] == _waxseal ]]; then _waxseal "$@"; else compdef _waxseal waxseal; fi
`
}

/** One function for one command, which gives the rest of the line to that of the command below it. */
function functionOf({ path, row, options }: CompletionPlace): string {
  const commands = row.commands ?? []
  const specs = options.map(optionSpec)
  if (commands.length === 0) {
    const files = (row.arguments ?? []).map((argument, index) => argumentSpec(argument, index + 1))
    return `${functionName(path)}() {\n  _arguments -s ${[...specs, ...files].join(' ')}\n}`
  }
  const names = commands.map(({ name, text }) => quote(`${name}:${text.replaceAll(':', '\\:')}`))
  const cases = commands.map(({ name }) => `    ${name}) ${functionName(`${path} ${name}`)} ;;`)
  return `${functionName(path)}() {
  local curcontext=$curcontext state line
  local -a commands=(${names.join(' ')})
  _arguments -s -C ${specs.join(' ')} '1: :->command' '*:: :->rest' && return
  if [[ $state == command ]]; then _describe command commands; return; fi
  case $line[1] in
${cases.join('\n')}
  esac
}`
}

function functionName(path: string): string {
  return `_${path.replaceAll(/[ -]/g, '_')}`
}

/** Each may be given again: an option that may not is refused by the command, with its reason. */
function optionSpec(option: OptionRow): string {
  const { value } = flagsOf(option)
  const text = `[${escape(option.text)}]${value === undefined ? '' : `:${escape(value)}:${action(option)}`}`
  return namesOf(option)
    .map((name) => quote(`*${name}${text}`))
    .join(' ')
}

function argumentSpec(argument: ArgumentRow, position: number): string {
  return quote(`${position}:${escape(argument.text)}:${action(argument)}`)
}

function action(row: OptionRow | ArgumentRow): string {
  const completion = completionOf(row)
  if (completion === 'nothing') return ' '
  if (completion === 'file') return '_files'
  return completion === 'folder' ? '_files -/' : `(${completion.join(' ')})`
}

function escape(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, '\\$&')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
