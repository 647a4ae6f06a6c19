import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expandPattern, isMatch, isPattern } from '../../cli/glob.ts'

describe('isMatch', () => {
  it.each([
    ['a.txt', '*.txt'],
    ['a.txt', 'a.???'],
    ['a.txt', '[ab].txt'],
    ['b.txt', '[!a].txt'],
    ['5', '[0-9]'],
    ['-', '[a-]'],
    ['', '*'],
    ['aXbXc', 'a*X*c'],
    ['[', '['],
    ['é😀.txt', '??.txt'],
    ['a.b*c', 'a.b*c'],
  ])('%j is of %j', (name, pattern) => expect(isMatch(name, pattern)).toBe(true))

  it.each([
    ['a.txt.wax', '*.txt'],
    ['axtxt', 'a.txt'],
    ['c.txt', '[ab].txt'],
    ['a.txt', '[!a].txt'],
    ['', '?'],
    ['a+', 'a*b'],
    ['aa', 'a'],
  ])('%j is not of %j', (name, pattern) => expect(isMatch(name, pattern)).toBe(false))

  it('does not take forever for a pattern of many stars', () => {
    expect(isMatch('a'.repeat(5000), `${'*a'.repeat(30)}b`)).toBe(false)
  })

  it('knows a pattern from a name', () => {
    expect(['*', 'a?', '[a]', 'a/**/b'].every(isPattern)).toBe(true)
    expect(['a', '/a/b.c', '-', 'a]'].some(isPattern)).toBe(false)
  })
})

describe('expandPattern', () => {
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'waxseal-glob-'))
    mkdirSync(join(folder, 'a/b/c'), { recursive: true })
    mkdirSync(join(folder, '.hidden'))
    for (const name of ['1.txt', 'a/2.txt', 'a/b/3.txt', 'a/b/c/4.log', '.hidden/5.txt', '.6.txt']) {
      writeFileSync(join(folder, name), '')
    }
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  it.each([
    ['*.txt', ['1.txt']],
    ['**/*.txt', ['1.txt', 'a/2.txt', 'a/b/3.txt']],
    ['a/**', ['a/2.txt', 'a/b', 'a/b/3.txt', 'a/b/c', 'a/b/c/4.log']],
    ['*/b/*', ['a/b/3.txt', 'a/b/c']],
    ['a/b/c/4.l?g', ['a/b/c/4.log']],
    ['.*/*.txt', ['.hidden/5.txt']],
    ['.*.txt', ['.6.txt']],
    ['*/none/*', []],
    ['1.txt/*', []],
  ])('%s', async (pattern, expected) => {
    const found = await expandPattern(`${folder}/${pattern}`)
    expect(found).toEqual(expected.map((name) => join(folder, name)))
  })
})
