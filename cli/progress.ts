import { jsonOf, printable } from './failure.ts'

export const PROGRESS_MODES = ['auto', 'bar', 'json', 'none'] as const

export type ProgressMode = (typeof PROGRESS_MODES)[number]

/** Work that is shorter shows nothing. */
const FIRST_AFTER_MS = 1000
const BAR_EVERY_MS = 100
const JSON_EVERY_MS = 1000
const BAR_CELLS = 20

export interface ProgressOptions {
  /** `auto` is a bar if standard error is a terminal, else nothing. */
  readonly mode: ProgressMode
  /** Bytes of all inputs; undefined when one of them does not say. */
  readonly total: number | undefined
  readonly write: (text: string) => void
  readonly isTerminal: boolean
  /** Characters of a line. */
  readonly columns?: number | undefined
  /** Milliseconds from any moment on. */
  readonly clock?: (() => number) | undefined
}

/** How far the command has come, in bytes of its inputs, as a line that is written again and again. */
export class Progress {
  readonly #mode: 'bar' | 'json' | 'none'
  readonly #options: ProgressOptions
  readonly #clock: () => number
  readonly #start: number
  #file = ''
  #bytes = 0
  #shownAt: number
  #isShown = false

  constructor(options: ProgressOptions) {
    const { mode, isTerminal, clock = () => performance.now() } = options
    this.#mode = mode === 'auto' ? (isTerminal ? 'bar' : 'none') : mode
    this.#options = options
    this.#clock = clock
    this.#start = clock()
    this.#shownAt = this.#start + FIRST_AFTER_MS - (this.#mode === 'json' ? JSON_EVERY_MS : BAR_EVERY_MS)
  }

  /** Names the input that the next bytes are of. */
  begin(file: string): void {
    this.#file = file
  }

  advance(bytes: number): void {
    this.#bytes += bytes
    if (this.#mode === 'none') return
    const now = this.#clock()
    if (now - this.#shownAt < (this.#mode === 'json' ? JSON_EVERY_MS : BAR_EVERY_MS)) return
    this.#shownAt = now
    this.#show(now, false)
  }

  /** Takes the line away, for another one to be written. */
  clear(): void {
    if (this.#isShown && this.#mode === 'bar') this.#options.write('\r\u001b[K')
    this.#isShown = false
  }

  /** The work is done or has failed. In JSON there is one last line, with `done`. */
  end(): void {
    if (this.#mode === 'json') this.#show(this.#clock(), true)
    this.clear()
  }

  #show(now: number, isDone: boolean): void {
    const { total, write, columns = 80 } = this.#options
    const seconds = (now - this.#start) / 1000
    const rate = seconds > 0 ? this.#bytes / seconds : 0
    const left = total === undefined || rate === 0 ? undefined : Math.max(total - this.#bytes, 0) / rate
    if (this.#mode === 'json') {
      const line = {
        file: this.#file,
        bytes: this.#bytes,
        total,
        bytesPerSecond: Math.round(rate),
        secondsLeft: left && Math.round(left),
      }
      write(`${jsonOf({ progress: isDone ? { ...line, done: true } : line })}\n`)
      return
    }
    const line = barLine({ file: this.#file, bytes: this.#bytes, total, rate, left })
    write(`\r${clip(line, columns - 1)}\u001b[K`)
    this.#isShown = true
  }
}

interface Bar {
  readonly file: string
  readonly bytes: number
  readonly total: number | undefined
  readonly rate: number
  readonly left: number | undefined
}

function barLine({ file, bytes, total, rate, left }: Bar): string {
  const speed = `${sizeText(rate)}/s`
  const name = printable(file)
  if (total === undefined) return `${sizeText(bytes)}  ${speed}  ${name}`
  // A file that grows while it is read is longer than it was said to be.
  const part = total === 0 ? 1 : Math.min(bytes / total, 1)
  const cells = Math.round(part * BAR_CELLS)
  const bar = `[${'#'.repeat(cells)}${'.'.repeat(BAR_CELLS - cells)}]`
  const percent = `${Math.floor(part * 100)} %`.padStart(5)
  return `${percent} ${bar} ${sizeText(bytes)} of ${sizeText(total)}  ${speed}  ${timeText(left ?? 0)} left  ${name}`
}

function clip(line: string, columns: number): string {
  const characters = Array.from(line)
  return characters.length <= columns ? line : `${characters.slice(0, Math.max(columns - 1, 0)).join('')}…`
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** A number of bytes for people. */
export function sizeText(bytes: number): string {
  let unit = 0
  let value = bytes
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024
  return `${unit === 0 ? String(Math.round(value)) : value.toFixed(1)} ${UNITS[unit]!}`
}

/** Seconds as minutes and seconds, and hours where there are some. */
export function timeText(seconds: number): string {
  const whole = Math.ceil(seconds)
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const shown = parts[0] === 0 ? parts.slice(1) : parts
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':')
}
