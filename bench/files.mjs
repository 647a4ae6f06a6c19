// `npm run bench:files`: `waxseal encrypt` and `decrypt` of one file beside age, openssl and cp, in one run. Arguments:
// mebibytes of the file (default 1024), a folder for it (default that of temporary files), rounds (default 5).
import { execFileSync, spawnSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureInstalled, ensurePackage, root } from '../scripts/project.mjs'

const MIB = 0x100000
const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
const [mebibytes = '1024', parent = tmpdir(), rounds = '5'] = process.argv.slice(2)

ensureInstalled()
ensurePackage()
const folder = mkdtempSync(join(parent, 'waxseal-bench-'))
try {
  report(measure(contestants()))
} finally {
  rmSync(folder, { recursive: true })
}

function contestants() {
  const plain = join(folder, 'plain')
  makeFile(plain, Number(mebibytes))
  writeFileSync(join(folder, 'key'), new Uint8Array(32).fill(1))
  const path = (name) => join(folder, name)
  const wrappingKey = `provider=raw-aes,namespace=bench,name=k1,file=${path('key')}`
  const waxseal = (command, from, to, ...more) => [
    process.execPath,
    CLI,
    command,
    '-w',
    wrappingKey,
    '-i',
    from,
    '-o',
    to,
    ...more,
  ]
  const hex = '01'.repeat(32)
  const list = [
    ['cp', ['cp', plain, path('cp')], path('cp')],
    [
      'openssl enc -aes-256-ctr',
      ['openssl', 'enc', '-aes-256-ctr', '-K', hex, '-iv', hex.slice(32), '-in', plain, '-out', path('ssl')],
      path('ssl'),
    ],
    ['waxseal encrypt', waxseal('encrypt', plain, path('wax')), path('wax')],
    [
      'waxseal encrypt --frame-length 4096',
      waxseal('encrypt', plain, path('small'), '--frame-length', '4096'),
      path('small'),
    ],
    ['waxseal decrypt', waxseal('decrypt', path('wax'), path('out')), path('out')],
  ]
  const recipient = ageRecipient(path('age.key'))
  if (recipient === undefined) console.log('age is not installed (apt install age): measured without it')
  else list.splice(2, 0, ['age -r', ['age', '-r', recipient, '-o', path('age'), plain], path('age')])
  return list.map(([name, command, output]) => ({ name, command, output }))
}

function makeFile(path, size) {
  const file = openSync(path, 'wx')
  const chunk = new Uint8Array(MIB)
  for (let at = 0; at < size; at++) writeSync(file, randomFillSync(chunk))
  closeSync(file)
}

function ageRecipient(file) {
  if (spawnSync('age-keygen', ['-o', file]).status !== 0) return undefined
  return execFileSync('age-keygen', ['-y', file], { encoding: 'utf8' }).trim()
}

/** Round by round, so that what else the machine does meets all of them. */
function measure(list) {
  const times = new Map(list.map(({ name }) => [name, []]))
  for (let round = 0; round < Number(rounds); round++) {
    for (const { name, command, output } of list) {
      // The decrypting one needs the message of this round, the others a place that is free.
      if (!name.includes('decrypt')) rmSync(output, { force: true })
      times.get(name).push(timesOf(command))
      if (statSync(output).size < Number(mebibytes) * MIB) throw new Error(`${name} wrote too little`)
    }
  }
  return times
}

/** Seconds that passed, and seconds of processor time of the process. */
function timesOf([program, ...args]) {
  const before = process.hrtime.bigint()
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-c', 'TIMEFORMAT="%U %S"; time "$@" >&2', 'bash', program, ...args],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`${program}: ${stdout}${stderr}`)
  const [user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number)
  return { wall: Number(process.hrtime.bigint() - before) / 1e9, processor: user + system }
}

/** Prints the table, and writes it for `npm run readme`. */
function report(times) {
  const [processor] = cpus()
  const rows = [...times].map(([name, list]) => ({
    name,
    wall: median(list.map(({ wall }) => wall)),
    processor: median(list.map(({ processor }) => processor)),
  }))
  const ours = rows.find(({ name }) => name === 'waxseal encrypt')
  const lines = [
    `${mebibytes} MiB in \`${parent}\`, medians of ${rounds} rounds; ${cpus().length} × ${processor.model}; Node ${process.versions.node}:`,
    '',
    '| Command | Seconds | Processor seconds | waxseal encrypt takes |',
    '| --- | ---: | ---: | ---: |',
    ...rows.map(({ name, wall, processor }) => {
      const ratio = name === ours.name ? '' : `${(ours.wall / wall).toFixed(2)} times as long`
      return `| \`${name}\` | ${wall.toFixed(2)} | ${processor.toFixed(2)} | ${ratio} |`
    }),
  ]
  console.log(lines.join('\n'))
  mkdirSync(join(root, 'build'), { recursive: true })
  writeFileSync(join(root, 'build/bench-files.md'), `${lines.join('\n')}\n`)
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
