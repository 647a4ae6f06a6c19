import { completionOf, flagsOf, type ArgumentRow, type OptionRow } from './command.ts'
import type { CompletionPlace } from './completion.ts'

/** A script for fish. */
export function fishCompletion(places: readonly CompletionPlace[]): string {
  const paths = places.slice(1).map(({ path }) => quote(path))
  return `# fish completion of waxseal
function __waxseal_at
    set -l place waxseal
    for word in (commandline -opc)[2..]
        switch "$place $word"
            case ${paths.join(' ')}
                set place "$place $word"
        end
    end
    test "$place" = "$argv[1]"
end
complete -c waxseal -f
${places.flatMap(linesOf).join('\n')}
`
}

function linesOf({ path, row, options }: CompletionPlace): string[] {
  const at = `complete -c waxseal -n ${quote(`__waxseal_at ${quote(path)}`)}`
  const commands = (row.commands ?? []).map(({ name, text }) => `${at} -a ${name} -d ${quote(text)}`)
  const [argument] = row.arguments ?? []
  return [
    ...commands,
    ...(argument === undefined ? [] : [`${at}${action(argument)}`]),
    ...options.map((option) => `${at}${optionText(option)}`),
  ]
}

function optionText(option: OptionRow): string {
  const { short, long, value } = flagsOf(option)
  const names = `${short === undefined ? '' : ` -s ${short.slice(1)}`} -l ${long.slice(2)}`
  return `${names}${value === undefined ? '' : ` -r${action(option)}`} -d ${quote(option.text)}`
}

function action(row: OptionRow | ArgumentRow): string {
  const completion = completionOf(row)
  if (completion === 'nothing') return ' -f'
  if (completion === 'file') return ' -F'
  return ` -f -a ${quote(completion === 'folder' ? '(__fish_complete_directories)' : completion.join(' '))}`
}

/** In fish a backslash escapes itself and the quote, inside single quotes too. */
function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}
