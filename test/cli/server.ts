import { once } from 'node:events'
import { KMS } from '@aws-sdk/client-kms'
import { outcomeOf, start, type Outcome, type Shell } from './shell.ts'

/** A server that listens. */
export interface Running {
  readonly url: string
  readonly pid: number
  readonly stop: (signal?: NodeJS.Signals) => Promise<Outcome>
}

/** Starts a server on the folder `data` of the shell and waits until it listens. */
export async function serve(shell: Shell, ...args: string[]): Promise<Running> {
  const child = start(shell, ['serve', '--json', '--port', '0', '--data', shell.path('data'), ...args])
  const outcome = outcomeOf(child)
  const first = await Promise.race([
    once(child.stdout!, 'data'),
    outcome.then(({ stderr }) => Promise.reject(new Error(stderr))),
  ])
  const { url } = JSON.parse(String(first[0])) as { url: string }
  return {
    url,
    pid: child.pid!,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return outcome
    },
  }
}

export interface AccessKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** What the server wrote at its first start. */
export function rootCredentials(shell: Shell, folder = 'data'): AccessKey {
  const text = shell.read(`${folder}/credentials`).toString()
  const [, accessKeyId = '', secretAccessKey = ''] =
    /^\[default\]\naws_access_key_id = (AKIA[A-Z2-7]{16})\naws_secret_access_key = (\S{40})\n$/.exec(text) ?? []
  return { accessKeyId, secretAccessKey }
}

export function client(endpoint: string, credentials: AccessKey, region = 'us-east-1'): KMS {
  return new KMS({ endpoint, region, credentials, maxAttempts: 1 })
}
