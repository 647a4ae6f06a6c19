import { mkdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Shell, failed, succeeded } from './shell.ts'

const shell = new Shell()

beforeAll(async () => {
  mkdirSync(shell.path('a folder'))
  shell.write('a file', '')
  for (const name of ['bash', 'zsh', 'fish']) {
    shell.write(name, succeeded(await shell.waxseal(['completion', name])))
  }
})

afterAll(() => shell.remove())

/** What bash offers for the last of these words. */
async function inBash(...words: string[]): Promise<string[]> {
  const list = ['waxseal', ...words].map((word) => `'${word}'`).join(' ')
  const script = `. ./bash; COMP_WORDS=(${list}); COMP_CWORD=${words.length}; _waxseal 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`
  return succeeded(await shell.run('bash', ['--norc', '-c', script]))
    .split('\n')
    .filter(Boolean)
}

async function inFish(line: string): Promise<string[]> {
  const outcome = await shell.run('fish', ['--no-config', '-c', `source ./fish; complete -C '${line}'`])
  return succeeded(outcome)
    .split('\n')
    .filter(Boolean)
    .map((offer) => offer.split('\t')[0]!)
}

/** What zsh offers: completion needs its line editor, and that a terminal, which zpty gives. */
async function inZsh(line: string): Promise<string> {
  const script = `
    zmodload zsh/zpty
    zpty z zsh -f -i
    zpty -w z 'autoload -U compinit; compinit -u -d ./zcompdump; . ./zsh; LISTMAX=9999 PS1=; stty columns 200'
    zpty -w z 'zle-line-init() { print START""ED }; zle -N zle-line-init'
    zpty -r z seen '*STARTED*'
    zpty -w -n z '${line}'$'\\t\\x15'
    zpty -w z 'echo END""ED'
    zpty -r z seen '*ENDED*'
    print -r -- "$seen"`
  return succeeded(await shell.run('zsh', ['-f', '-c', script]))
}

const COMMANDS = ['encrypt', 'decrypt', 'inspect', 'kms', 'serve', 'completion', 'manual']

describe('waxseal completion', () => {
  it('offers commands in bash', async () => {
    expect(await inBash('')).toEqual(expect.arrayContaining(COMMANDS))
    expect(await inBash('enc')).toEqual(['encrypt'])
    expect(await inBash('kms', 'list-k')).toEqual(expect.arrayContaining(['list-keys', 'list-key-rotations']))
  })

  it('offers options in bash, those of all commands too', async () => {
    expect(await inBash('encrypt', '--con')).toEqual(['--context'])
    expect(await inBash('encrypt', '--root')).toEqual(['--root-key'])
    expect(await inBash('kms', 'create-key', '--d')).toEqual(['--description'])
    expect(await inBash('kms', '--d')).toEqual([])
  })

  it('offers values in bash', async () => {
    expect(await inBash('encrypt', '--commitment-policy', 'forbid')).toEqual(['forbid-encrypt-allow-decrypt'])
    expect(await inBash('encrypt', '--commitment-policy', '=', 'forbid')).toEqual(['forbid-encrypt-allow-decrypt'])
    expect(await inBash('encrypt', '-i', 'a')).toEqual(expect.arrayContaining(['a file', 'a folder']))
    expect(await inBash('encrypt', '--kms', 'a')).toEqual(['a folder'])
    expect(await inBash('encrypt', '--key', 'a')).toEqual([])
    expect(await inBash('completion', 'f')).toEqual(['fish'])
  })

  it('offers the same in fish', async () => {
    expect(await inFish('waxseal ')).toEqual(expect.arrayContaining(COMMANDS))
    expect(await inFish('waxseal kms list-ke')).toContain('list-keys')
    expect(await inFish('waxseal encrypt --con')).toEqual(['--context'])
    expect(await inFish('waxseal encrypt --commitment-policy forbid')).toEqual(['forbid-encrypt-allow-decrypt'])
    expect(await inFish('waxseal completion f')).toEqual(['fish'])
  })

  it('offers the same in zsh', async () => {
    const commands = await inZsh('waxseal ')
    for (const name of COMMANDS) expect(commands).toContain(name)
    expect(await inZsh('waxseal kms desc')).toContain('describe-key')
    expect(await inZsh('waxseal encrypt --commitment-policy forb')).toContain('forbid-encrypt-allow-decrypt')
  })

  it('refuses other shells', async () => {
    failed(await shell.waxseal(['completion', 'csh']), 2, /Allowed choices are bash, zsh, fish/)
    failed(await shell.waxseal(['completion']), 2, /missing required argument 'shell'/)
  })
})

describe('waxseal manual', () => {
  it('is a page that man shows without a warning', async () => {
    shell.write('page', succeeded(await shell.waxseal(['manual'])))
    const outcome = await shell.run('man', ['--warnings', '-l', 'page'], undefined, {
      LC_ALL: 'C.UTF-8',
      MANWIDTH: '100',
    })
    const text = succeeded(outcome)
    for (const word of ['waxseal kms create-alias', '--commitment-policy', 'EXIT STATUS', 'WAXSEAL_HOME'])
      expect(text).toContain(word)
  })
})
