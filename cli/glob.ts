import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Whether a name that is no file is meant as a pattern. */
export function isPattern(text: string): boolean {
  return /[*?[]/.test(text)
}

/**
 * Paths that a pattern stands for, sorted: `*` and `?` within one name, `[a-z]` and `[!a-z]` for one character, a part
 * `**` for any number of folders. A name that begins with a dot is matched by a dot only, as in a shell.
 */
export async function expandPattern(pattern: string): Promise<string[]> {
  const isAbsolute = pattern.startsWith('/')
  const parts = pattern.split('/').filter((part) => part !== '')
  return [...new Set(await matchesIn(isAbsolute ? '/' : '', parts))].sort()
}

async function matchesIn(folder: string, [part, ...rest]: readonly string[]): Promise<string[]> {
  if (part === undefined) return [folder]
  if (part !== '**' && !isPattern(part)) {
    const path = join(folder, part)
    return rest.length > 0 || (await namesIn(folder)).some(({ name }) => name === part) || part.startsWith('.')
      ? matchesIn(path, rest)
      : []
  }
  const entries = (await namesIn(folder)).filter(({ name }) => part.startsWith('.') || !name.startsWith('.'))
  if (part === '**') {
    const folders = entries.filter(({ isFolder }) => isFolder).map(({ name }) => join(folder, name))
    const below = await Promise.all(folders.map((path) => matchesIn(path, [part, ...rest])))
    return [
      ...(rest.length > 0 ? await matchesIn(folder, rest) : entries.map(({ name }) => join(folder, name))),
      ...below.flat(),
    ]
  }
  const matching = entries.filter(({ name, isFolder }) => (isFolder || rest.length === 0) && isMatch(name, part))
  return (await Promise.all(matching.map(({ name }) => matchesIn(join(folder, name), rest)))).flat()
}

interface Name {
  readonly name: string
  readonly isFolder: boolean
}

/** What stands in a folder; nothing if it is none or cannot be read. */
async function namesIn(folder: string): Promise<Name[]> {
  const entries = await readdir(folder === '' ? '.' : folder, { withFileTypes: true }).catch(() => [])
  return entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
}

/** Whether a whole name is of a pattern; its time is at most the product of the lengths, whatever the pattern. */
export function isMatch(name: string, pattern: string): boolean {
  const characters = Array.from(name)
  const tokens = tokensOf(pattern)
  let at = 0
  let token = 0
  // Where the last star stands, and the first character that it has not taken.
  let star = -1
  let retry = 0
  while (at < characters.length) {
    const wanted = tokens[token]
    if (wanted === '*') {
      star = token++
      retry = at
    } else if (wanted?.(characters[at]!) === true) {
      at++
      token++
    } else if (star >= 0) {
      at = ++retry
      token = star + 1
    } else {
      return false
    }
  }
  return tokens.slice(token).every((rest) => rest === '*')
}

type Token = '*' | ((character: string) => boolean)

function tokensOf(pattern: string): Token[] {
  return [...pattern.matchAll(/\*+|\[!?\]?[^\]]*\]|[^]/gu)].map(([text]) => {
    if (text.startsWith('*')) return '*'
    if (text === '?') return () => true
    if (text.startsWith('[') && text.endsWith(']') && text.length > 2) return setOf(text.slice(1, -1))
    return (character) => character === text
  })
}

function setOf(text: string): (character: string) => boolean {
  const isNegated = text.startsWith('!')
  const members = [...(isNegated ? text.slice(1) : text).matchAll(/([^])-([^])|([^])/gu)]
  const has = (character: string): boolean =>
    members.some(([, from, to, one]) =>
      one === undefined ? from! <= character && character <= to! : one === character,
    )
  return (character) => has(character) !== isNegated
}
