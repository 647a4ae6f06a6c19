// Pipes a plaintext that is generated as it goes through `waxseal encrypt` and `waxseal decrypt`, and prints what comes
// out and the peak memory of both processes as JSON. Argument: its mebibytes.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { generate } from './plaintext.mjs'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const PEAK = fileURLToPath(new URL('peak.cjs', import.meta.url))

const mebibytes = Number(process.argv[2])
const folder = mkdtempSync(join(tmpdir(), 'waxseal-memory-'))
const keyFile = join(folder, 'key')
writeFileSync(keyFile, new Uint8Array(32).fill(1))

function start(command) {
  const args = ['--require', PEAK, CLI, command, '-w', `provider=raw-aes,namespace=test,name=memory,file=${keyFile}`]
  // Descriptor 3 is where the preloaded script tells the peak.
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] })
  const told = []
  child.stdio[3].on('data', (text) => told.push(text))
  const peak = new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code === 0) resolve(Number(told.join('')))
      else reject(new Error(`waxseal ${command}: exit code ${code}`))
    })
  })
  return { child, peak }
}

try {
  const { source, digest } = generate(mebibytes)
  const encrypting = start('encrypt')
  const decrypting = start('decrypt')
  const opened = createHash('sha256')
  let bytes = 0
  decrypting.child.stdout.on('data', (chunk) => {
    opened.update(chunk)
    bytes += chunk.length
  })
  const [encryptKibibytes, decryptKibibytes] = await Promise.all([
    encrypting.peak,
    decrypting.peak,
    pipeline(Readable.fromWeb(source), encrypting.child.stdin),
    pipeline(encrypting.child.stdout, decrypting.child.stdin),
  ])
  const isSame = digest.digest('hex') === opened.digest('hex')
  console.log(JSON.stringify({ bytes, isSame, encryptKibibytes, decryptKibibytes }))
} finally {
  rmSync(folder, { recursive: true })
}
