import { FormatError, inspect, type MessageHeader } from '../src/index.ts'
import { base64Decoder } from './base64.ts'
import type { CommandRow } from './command.ts'
import { jsonOf } from './failure.ts'
import { headerJson, headerText } from './header.ts'
import { print } from './output.ts'
import type { GlobalOptions } from './service.ts'
import { sourceOf } from './source.ts'

/** What has no header in so many bytes is no message that anybody wrote. */
const MAX_HEADER_BYTES = 0x1000000

/** What the library says of a beginning that may still become a header. */
const UNFINISHED = 'ends inside its header'

export const inspectRow: CommandRow = {
  name: 'inspect',
  text: "show a message's header; needs no key, so nothing of it is verified",
  arguments: [{ name: '[file]', text: 'the message (default: standard input)', completes: 'file' }],
  options: [{ flags: '--decode', text: 'read the message as base64' }],
  examples: [
    { text: 'The header of a message.', line: 'waxseal inspect letter.wax' },
    { text: 'The context alone.', line: 'waxseal inspect --json letter.wax | jq .encryptionContext' },
  ],
  async run({ json, decode = false }: GlobalOptions & { readonly decode?: boolean }, [file]) {
    const source = sourceOf(file === '-' ? undefined : file, () => undefined)
    const header = await readHeader(decode ? source.pipeThrough(base64Decoder()) : source)
    if (json === true) return print(jsonOf(headerJson(header)))
    return print(`${headerText(header)}\n(not verified: only decryption tells whether this is what was sealed)`)
  },
}

/** Reads as much of a message as its header needs, unverified; of what is no message, as much as tells so. */
export async function readHeader(source: ReadableStream<Uint8Array>): Promise<MessageHeader> {
  const reader = source.getReader()
  let bytes: Uint8Array = new Uint8Array(0)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return inspect(bytes)
      bytes = Buffer.concat([bytes, value])
      try {
        return inspect(bytes)
      } catch (error) {
        const isUnfinished = error instanceof FormatError && error.message.endsWith(UNFINISHED)
        if (!isUnfinished || bytes.length > MAX_HEADER_BYTES) throw error
      }
    }
  } finally {
    await reader.cancel()
  }
}
