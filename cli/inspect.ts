import { Command } from 'commander'
import { inspect } from '../src/index.ts'
import { headerJson, headerText } from './header.ts'
import { readInput } from './input.ts'
import { print } from './output.ts'
import type { GlobalOptions } from './service.ts'

export function inspectCommand(): Command {
  return new Command('inspect')
    .description("show a message's header; needs no key, so nothing of it is verified")
    .argument('[file]', 'the message (default: standard input)')
    .action(async (file: string | undefined, _, command: Command) => {
      const header = inspect(await readInput(file))
      if (command.optsWithGlobals<GlobalOptions>().json === true) return print(JSON.stringify(headerJson(header)))
      return print(`${headerText(header)}\n(not verified: only decryption tells whether this is what was sealed)`)
    })
}
