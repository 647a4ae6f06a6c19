// `npm run test:awscli`: runs the blocks `sh awscli` of README.md with the AWS CLI (Debian: awscli) against `waxseal
// serve`, one after the other in one shell. A block prints what its lines `#> …` say, and nothing else.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { ensureInstalled, ensurePackage, root } from '../../scripts/project.mjs'

/** Stands between the outputs of two blocks. */
const SEPARATOR = '\u001e'
const README_PORT = '8080'

ensureInstalled()
ensurePackage()
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```sh awscli\n([^]*?)^```$/gm)].map(([, code]) => code)
const failures = blocks.length === 0 ? ['README.md has no block `sh awscli`'] : await runBlocks()
for (const failure of failures) console.error(failure)
console.log(`awscli: ${Math.max(0, blocks.length - failures.length)} passed, ${failures.length} failed`)
process.exitCode = failures.length === 0 ? 0 : 1

/** Answers what is wrong, a text for each block at most. */
async function runBlocks() {
  const aws = findAws()
  if (aws === undefined) return ['there is no AWS CLI: install awscli']
  const folder = mkdtempSync(join(tmpdir(), 'waxseal-awscli-'))
  try {
    mkdirSync(join(folder, 'bin'))
    symlinkSync(aws, join(folder, 'bin/aws'))
    symlinkSync(join(root, 'dist/cli.js'), join(folder, 'bin/waxseal'))
    return judge(runShell(folder, (await freePort()).toString()))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Debian's before any other. */
function findAws() {
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)]
  return folders.map((folder) => join(folder, 'aws')).find((path) => existsSync(path))
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .on('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = server.address()
        server.close(() => resolve(port))
      })
  })
}

function runShell(folder, port) {
  const script = blocks.map((code) => code.replaceAll(README_PORT, port)).join(`\nprintf '${SEPARATOR}'\n`)
  const env = {
    ...process.env,
    PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
    HOME: folder,
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(folder, 'no-configuration'),
  }
  for (const name of Object.keys(env)) if (/^AWS_(?:ACCESS|SECRET|SESSION|PROFILE|DEFAULT)/.test(name)) delete env[name]
  const ending = `trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n`
  return spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', ending + script], {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: 540_000,
  })
}

function judge({ status, stdout, stderr, error }) {
  const outputs = stdout.split(SEPARATOR)
  const reason = error?.message ?? `exit code ${status}\n${stderr}`
  return blocks.flatMap((code, index) => {
    const output = outputs[index]
    const promised = [...code.matchAll(/^#> (.*)$/gm)].map(([, text]) => `${text}\n`).join('')
    const isLast = index === outputs.length - 1
    if (output === promised && (!isLast || (status === 0 && stderr === ''))) return []
    const what = output === undefined ? 'did not run' : `printed ${JSON.stringify(output)}`
    return [`block ${index + 1} ${what}, not ${JSON.stringify(promised)}${isLast ? `: ${reason}` : ''}\n${code}`]
  })
}
