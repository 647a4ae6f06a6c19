// Shared by the scripts here: `waxseal serve` of the built package as a process, and AWS SDK clients that call it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KMS } from '@aws-sdk/client-kms'
import { root } from '../../scripts/project.mjs'

export const REGION = 'us-east-1'
const CREDENTIALS = { accessKeyId: 'AKIDSCRIPT', secretAccessKey: 'a secret of the script' }

// The SDK tells of versions of Node that it will leave behind.
process.removeAllListeners('warning')

/** A folder with room for a KMS and, beside it, for its root key. */
export function newHome() {
  const folder = mkdtempSync(join(tmpdir(), 'waxseal-kms-'))
  return { folder, directory: join(folder, 'data'), rootKeyFile: join(folder, 'root.key') }
}

/**
 * Starts a server and waits until it listens. `message` asks it for its memory; see memory.mjs.
 * @param {{ directory: string, rootKeyFile: string }} home
 * @param {readonly string[]} [nodeOptions]
 */
export async function serve({ directory, rootKeyFile }, nodeOptions = []) {
  const args = ['serve', '--json', '--port', '0', '--data', directory, '--root-key', rootKeyFile, '--region', REGION]
  const child = spawn(process.execPath, [...nodeOptions, join(root, 'dist/cli.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: {
      ...process.env,
      WAXSEAL_ROOT_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      WAXSEAL_ROOT_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
  })
  const ended = once(child, 'exit')
  const first = await Promise.race([once(child.stdout, 'data'), ended.then(() => undefined)])
  if (!first) throw new Error('the server did not start')
  const { url } = JSON.parse(String(first[0]))
  return {
    url,
    child,
    /** Ends it with a signal; answers the signal that it died of, or its exit code. */
    end: async (signal) => {
      child.kill(signal)
      const [code, died] = await ended
      return died ?? code
    },
  }
}

/**
 * A client that does not try again: an error is an error.
 * @param {string} endpoint
 */
export function client(endpoint) {
  return new KMS({ endpoint, region: REGION, credentials: CREDENTIALS, maxAttempts: 1 })
}

/** Counts what was checked, and says so as the other scripts do. */
export class Checks {
  #passed = 0
  #failed = 0

  check(isOk, title) {
    if (isOk) this.#passed++
    else this.#failed++
    console.log(`${isOk ? 'ok    ' : 'FAILED'} ${title}`)
  }

  end(name) {
    console.log(`${name}: ${this.#passed} passed, ${this.#failed} failed`)
    process.exitCode = this.#failed === 0 && this.#passed > 0 ? 0 : 1
  }
}
