import { describe, expect, it } from 'vitest'
import { flagsOf, type CommandRow } from '../../cli/command.ts'
import { waxseal } from '../../cli/commands.ts'
import { placesOf } from '../../cli/completion.ts'
import { manualPage } from '../../cli/manual.ts'
import { commandOf } from '../../cli/program.ts'

const PLACES = placesOf(waxseal)
const LEAVES = PLACES.filter(({ row }) => row.commands === undefined)

function help(path: string): string {
  const names = path.split(' ').slice(1)
  return names
    .reduce((command, name) => command.commands.find((c) => c.name() === name)!, commandOf(waxseal))
    .helpInformation()
}

describe('the table of commands', () => {
  it.each(LEAVES.map(({ path, row }) => ({ path, row })))('$path does something and shows how', ({ path, row }) => {
    expect('run' in row).toBe(true)
    expect(row.examples?.length).toBeGreaterThan(0)
    expect(row.examples!.some(({ line }) => line.includes(path))).toBe(true)
  })

  it.each(PLACES)('$path names each option once, short and long', ({ options }) => {
    const names = options.flatMap((option) => {
      const { short, long } = flagsOf(option)
      return short === undefined ? [long] : [short, long]
    })
    expect(names).toEqual([...new Set(names)])
  })

  it.each(PLACES)('$path says in --help and in the manual what it takes', ({ path, row }) => {
    const manual = manualPage(waxseal)
    for (const option of row.options ?? []) {
      expect(help(path)).toContain(flagsOf(option).long)
      expect(manual).toContain(flagsOf(option).long.replaceAll('-', '\\-'))
    }
  })

  it('refuses flags that are written in another way', () => {
    expect(() => flagsOf({ flags: '-key', text: '' })).toThrow(TypeError)
  })
})

describe('the manual page', () => {
  const row = (text: string): CommandRow => ({ name: 'x', text, commands: [{ name: 'y', text }] })

  it('escapes what roff would read as its own', () => {
    expect(manualPage(row(".TH evil\n'so /etc/passwd"))).toContain('\\&.TH evil\n\\(aqso /etc/passwd')
    expect(manualPage(row('a\\fBb - c'))).toContain('a\\efBb \\- c')
  })
})
