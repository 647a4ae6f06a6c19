import { inspect } from '../src/index.ts'
import type { CommandRow } from './command.ts'
import { headerJson, headerText } from './header.ts'
import { readInput } from './input.ts'
import { print } from './output.ts'
import type { GlobalOptions } from './service.ts'

export const inspectRow: CommandRow = {
  name: 'inspect',
  text: "show a message's header; needs no key, so nothing of it is verified",
  arguments: [{ name: '[file]', text: 'the message (default: standard input)', completes: 'file' }],
  examples: [{ text: 'The context of a message.', line: 'waxseal inspect --json letter.wax | jq .encryptionContext' }],
  async run({ json }: GlobalOptions, [file]) {
    const header = inspect(await readInput(file))
    if (json === true) return print(JSON.stringify(headerJson(header)))
    return print(`${headerText(header)}\n(not verified: only decryption tells whether this is what was sealed)`)
  },
}
