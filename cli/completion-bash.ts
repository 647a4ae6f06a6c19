import { completionOf, flagsOf, namesOf, type ArgumentRow, type OptionRow } from './command.ts'
import type { CompletionPlace } from './completion.ts'

/** A script for bash, from 3.2 on. */
export function bashCompletion(places: readonly CompletionPlace[]): string {
  const paths = places.slice(1).map(({ path }) => quote(path))
  return `# bash completion of waxseal: eval "$(waxseal completion bash)"
_waxseal() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} place=waxseal word
  # --option=value is three words.
  if [[ $current == = ]]; then current=''; elif [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$place $word" in ${paths.join(' | ')}) place="$place $word" ;; esac
  done
  COMPREPLY=()
  case "$place $previous" in
${places.flatMap(valueCases).join('\n')}
  esac
  case "$place" in
${places.map(wordCase).join('\n')}
  esac
}
_waxseal_words() {
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "$@" -- "$current")
}
_waxseal_paths() {
  compopt -o filenames 2>/dev/null
  _waxseal_words "$1"
}
complete -F _waxseal waxseal
`
}

/** For the word behind an option that takes a value. */
function valueCases({ path, options }: CompletionPlace): string[] {
  return options
    .filter((option) => flagsOf(option).value !== undefined)
    .map((option) => {
      const patterns = namesOf(option).map((name) => quote(`${path} ${name}`))
      return `    ${patterns.join(' | ')}) ${action(option)}; return ;;`
    })
}

/** For any other word: a command or argument, or an option when it begins with a dash. */
function wordCase({ path, row, options }: CompletionPlace): string {
  const names = options.flatMap(namesOf)
  const commands = (row.commands ?? []).map(({ name }) => name)
  const other = commands.length > 0 ? words(commands) : action(row.arguments?.[0])
  return `    ${quote(path)}) if [[ $current == -* ]]; then ${words(names)}; else ${other}; fi ;;`
}

function action(row: OptionRow | ArgumentRow | undefined): string {
  const completion = row === undefined ? 'nothing' : completionOf(row)
  if (completion === 'nothing') return ':'
  if (completion === 'file') return '_waxseal_paths -f'
  return completion === 'folder' ? '_waxseal_paths -d' : words(completion)
}

function words(list: readonly string[]): string {
  return `_waxseal_words -W ${quote(list.join(' '))}`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
