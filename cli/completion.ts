import { bashCompletion } from './completion-bash.ts'
import { fishCompletion } from './completion-fish.ts'
import { zshCompletion } from './completion-zsh.ts'
import type { CommandRow, OptionRow } from './command.ts'
import { print } from './output.ts'

/** What can be typed at one place of the command line. */
export interface CompletionPlace {
  /** The words before: `waxseal kms create-key`. */
  readonly path: string
  readonly row: CommandRow
  /** Options of the row and of the rows above it, and `--help`. */
  readonly options: readonly OptionRow[]
}

const HELP: OptionRow = { flags: '-h, --help', text: 'show how the command is used' }
const VERSION: OptionRow = { flags: '-V, --version', text: 'print the version' }

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

export function completionRow(root: () => CommandRow): CommandRow {
  const shells = Object.keys(SCRIPTS)
  return {
    name: 'completion',
    text: 'print a script that completes commands, options and files in a shell',
    arguments: [{ name: '<shell>', text: 'the shell that will read it', choices: shells }],
    examples: [
      { text: 'In ~/.bashrc:', line: 'eval "$(waxseal completion bash)"' },
      { text: 'In ~/.zshrc, after compinit:', line: 'eval "$(waxseal completion zsh)"' },
      {
        text: 'Once, for fish:',
        line: 'waxseal completion fish > ~/.config/fish/completions/waxseal.fish',
      },
    ],
    run: async (_, [shell]) => print(SCRIPTS[shell as keyof typeof SCRIPTS](placesOf(root())).trimEnd()),
  }
}

/** Every place of the table, the root first. */
export function placesOf(root: CommandRow): CompletionPlace[] {
  const below = (row: CommandRow, path: string, inherited: readonly OptionRow[]): CompletionPlace[] => {
    const options = [...(row.options ?? []), ...inherited]
    const place = { path, row, options: row === root ? [...options, VERSION] : options }
    return [place, ...(row.commands ?? []).flatMap((command) => below(command, `${path} ${command.name}`, options))]
  }
  return below(root, root.name, [HELP])
}
