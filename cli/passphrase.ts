import { CommandError } from './failure.ts'
import { readSmallFile } from './small-file.ts'

/** More than any passphrase may have. */
const MAX_FILE_BYTES = 0x10000
const ENTER = /[\r\n]/
const INTERRUPT = '\u0003'
const END_OF_INPUT = '\u0004'
const ERASE = /[\u007f\b]/

/** The passphrase in a file: its text, without the line's end that editors put there. */
export async function passphraseFrom(path: string): Promise<string> {
  const bytes = await readSmallFile(path, MAX_FILE_BYTES)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r?\n$/, '')
  } catch (error) {
    throw new CommandError('usage', `the passphrase in ${path} is no UTF-8`, { cause: error })
  } finally {
    bytes.fill(0)
  }
}

/**
 * Asks for a passphrase at the terminal, without showing it: twice for one that encrypts, as nobody sees a slip of a key.
 *
 * @throws CommandError when standard input is no terminal, or the two differ
 */
export async function askPassphrase(direction: 'encrypt' | 'decrypt'): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new CommandError('usage', 'provider=passphrase needs file=… or fd=…, or a terminal to ask at')
  }
  if (direction === 'decrypt') return ask('Passphrase to decrypt by: ')
  const passphrase = await ask('Passphrase to encrypt under: ')
  if ((await ask('The same again: ')) === passphrase) return passphrase
  throw new CommandError('usage', 'the two passphrases differ')
}

async function ask(prompt: string): Promise<string> {
  const { stdin, stderr } = process
  stdin.setRawMode(true)
  try {
    stderr.write(prompt)
    return await line(stdin)
  } finally {
    stdin.setRawMode(false)
    stderr.write('\n')
  }
}

/** One line as it is typed; what comes behind it stays to be read. */
function line(input: NodeJS.ReadStream): Promise<string> {
  const decoder = new TextDecoder()
  let typed = ''
  return new Promise((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      const characters = Array.from(decoder.decode(chunk, { stream: true }))
      for (const [at, character] of characters.entries()) {
        if (ENTER.test(character)) {
          const rest = characters.slice(at + 1).join('')
          finish()
          if (rest !== '') input.unshift(Buffer.from(rest))
          return resolve(typed)
        }
        // The terminal does not make signals of keys now.
        if (character === INTERRUPT) process.emit('SIGINT')
        if (character === END_OF_INPUT) return giveUp()
        typed = ERASE.test(character) ? Array.from(typed).slice(0, -1).join('') : typed + character
      }
    }
    const finish = (): void => {
      input.off('data', take).off('end', giveUp).pause()
    }
    const giveUp = (): void => {
      finish()
      reject(new CommandError('usage', 'no passphrase was given'))
    }
    input.on('data', take).on('end', giveUp).resume()
  })
}
