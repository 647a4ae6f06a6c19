import { describe, expect, it } from 'vitest'
import { Progress, sizeText, timeText, type ProgressMode } from '../../cli/progress.ts'

/** A progress whose clock is set by hand, and what it has written. */
function progressOf(mode: ProgressMode, total: number | undefined, isTerminal = true, columns = 200) {
  const written: string[] = []
  const time = { now: 5_000 }
  const write = (text: string): number => written.push(text)
  const progress = new Progress({ mode, total, isTerminal, columns, write, clock: () => time.now })
  progress.begin('a file')
  return { progress, written, time }
}

const MIB = 0x100000

describe('a bar', () => {
  it('shows nothing in the first second', () => {
    const { progress, written, time } = progressOf('auto', 100 * MIB)
    time.now += 999
    progress.advance(50 * MIB)
    progress.end()
    expect(written).toEqual([])
  })

  it('shows part, size, rate and time left on one line, ten times a second, and goes away', () => {
    const { progress, written, time } = progressOf('auto', 100 * MIB)
    time.now += 1000
    progress.advance(25 * MIB)
    time.now += 99
    progress.advance(MIB)
    expect(written).toEqual([
      '\r 25 % [#####...............] 25.0 MiB of 100.0 MiB  25.0 MiB/s  0:03 left  a file\u001b[K',
    ])
    time.now += 1
    progress.advance(MIB)
    expect(written).toHaveLength(2)
    progress.end()
    expect(written[2]).toBe('\r\u001b[K')
  })

  it('shows what there is of a stream whose length is not known', () => {
    const { progress, written, time } = progressOf('bar', undefined, false)
    time.now += 2000
    progress.advance(3 * MIB)
    expect(written).toEqual(['\r3.0 MiB  1.5 MiB/s  a file\u001b[K'])
  })

  it('stays within the line, and shows no control characters of a name', () => {
    const { progress, written, time } = progressOf('auto', 10, true, 40)
    progress.begin('\u001b[31m'.repeat(10))
    time.now += 1000
    progress.advance(20)
    expect(written[0]!.replace('\u001b[K', '')).toMatch(/^\r100 % [^\p{Cc}]*…$/u)
    expect(written[0]!.replace('\u001b[K', '').length).toBeLessThanOrEqual(40)
  })

  it('is not for what is no terminal, and not for --progress none', () => {
    for (const { progress, written, time } of [progressOf('auto', 10, false), progressOf('none', 10)]) {
      time.now += 5000
      progress.advance(5)
      progress.end()
      expect(written).toEqual([])
    }
  })
})

describe('JSON', () => {
  it('is a line every second, and one at the end', () => {
    const { progress, written, time } = progressOf('json', 100, false)
    progress.advance(10)
    time.now += 1000
    progress.advance(10)
    time.now += 500
    progress.advance(40)
    progress.end()
    expect(written.map((line) => JSON.parse(line) as unknown)).toEqual([
      { progress: { file: 'a file', bytes: 20, total: 100, bytesPerSecond: 20, secondsLeft: 4 } },
      { progress: { file: 'a file', bytes: 60, total: 100, bytesPerSecond: 40, secondsLeft: 1, done: true } },
    ])
  })
})

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1.5 * MIB, '1.5 MiB'],
  [2 ** 50, '1.0 PiB'],
  [2 ** 60, '1024.0 PiB'],
])('%d bytes are %s', (bytes, text) => expect(sizeText(bytes)).toBe(text))

it.each([
  [0, '0:00'],
  [0.2, '0:01'],
  [61, '1:01'],
  [3600, '1:00:00'],
  [36_061, '10:01:01'],
])('%d seconds are %s', (seconds, text) => expect(timeText(seconds)).toBe(text))
