// `npm run test:memory`: large streams through the built package, each in a process of its own whose peak memory is
// held to a limit. Nothing is stored: plaintexts are generated, and compared by their digests.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ensureInstalled, ensurePackage, root } from '../../scripts/project.mjs'

const LIMIT_MEBIBYTES = 128

/** Mebibytes of plaintext and frame length of each round through the API. */
const STREAMS = [
  [4096, 4096],
  [1024, 65_536],
  [1024, 1_048_576],
]

/** Mebibytes of plaintext through the command line. */
const COMMAND_MEBIBYTES = 4096

const outcomes = []

ensureInstalled()
ensurePackage()
for (const [mebibytes, frameLength] of STREAMS) measureStreams(mebibytes, frameLength)
measureCommand(COMMAND_MEBIBYTES)

const failed = outcomes.filter((isOk) => !isOk).length
console.log(`memory: ${outcomes.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

function measureStreams(mebibytes, frameLength) {
  const title = `encryptStream and decryptStream, ${mebibytes} MiB in frames of ${frameLength} bytes`
  const args = [join(root, 'test/memory/streams.mjs'), String(mebibytes), String(frameLength)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) return check(false, title, stdout + stderr)
  const { bytes, isSame, peakKibibytes } = JSON.parse(stdout)
  check(isSame && bytes === mebibytes * 2 ** 20, `${title}: the plaintext comes back`, stdout)
  checkPeak(title, peakKibibytes / 1024)
}

function measureCommand(mebibytes) {
  const title = `waxseal encrypt | waxseal decrypt, ${mebibytes} MiB`
  const args = [join(root, 'test/memory/command.mjs'), String(mebibytes)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) return check(false, title, stdout + stderr)
  const { bytes, isSame, encryptKibibytes, decryptKibibytes } = JSON.parse(stdout)
  check(isSame && bytes === mebibytes * 2 ** 20, `${title}: the plaintext comes back`, stdout)
  checkPeak(`${title}: encrypt`, encryptKibibytes / 1024)
  checkPeak(`${title}: decrypt`, decryptKibibytes / 1024)
}

function checkPeak(title, mebibytes) {
  check(mebibytes < LIMIT_MEBIBYTES, `${title}: at most ${mebibytes.toFixed(0)} MiB of ${LIMIT_MEBIBYTES}`)
}

function check(isOk, title, output = '') {
  outcomes.push(isOk)
  console.log(`${isOk ? 'ok    ' : 'FAILED'} ${title}`)
  if (!isOk && output) console.log(output)
}
