import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { beforeAll, expect, it } from 'vitest'
import { localKms } from '../../kms/providers/local.ts'
import { bundle } from './bundle.ts'
import { temporaryFolder } from './temporary.ts'

const folder = temporaryFolder()
const script = join(folder, 'create-keys.mjs')

beforeAll(() => bundle('create-keys.ts', script), 60_000)

function createKeys(directory: string, rootKeyFile: string, count: number): ChildProcessByStdio<null, Readable, null> {
  const args = [script, directory, rootKeyFile, String(count)]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Reads what a process acknowledged; `onLine` sees each as it comes. */
async function acknowledged(
  child: ChildProcessByStdio<null, Readable, null>,
  onLine?: (count: number) => void,
): Promise<string[]> {
  const ended = once(child, 'close')
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    onLine?.(lines.length)
  }
  await ended
  return lines
}

async function assertAllThere(directory: string, rootKeyFile: string, lines: readonly string[]): Promise<void> {
  const { engine, close } = await localKms({ directory, rootKeyFile, create: false })
  for (const line of lines) {
    const [keyId = '', ciphertext = ''] = line.split(' ')
    const CiphertextBlob = Uint8Array.from(Buffer.from(ciphertext, 'base64'))
    const { Plaintext } = await engine.call('Decrypt', { CiphertextBlob, KeyId: `alias/of-${keyId}` })
    expect(new TextDecoder().decode(Plaintext)).toBe(keyId)
  }
  await close()
}

it('serves processes that begin at once on a directory that is not there', async () => {
  const [directory, rootKeyFile] = [join(folder, 'shared'), join(folder, 'config', 'shared.key')]
  const processes = [1, 2, 3].map(() => createKeys(directory, rootKeyFile, 10))
  const lines = (await Promise.all(processes.map((child) => acknowledged(child)))).flat()
  expect(lines).toHaveLength(30)
  expect(processes.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
  expect(readdirSync(join(folder, 'config'))).toEqual(['shared.key'])
  await assertAllThere(directory, rootKeyFile, lines)
})

it('loses nothing that it acknowledged when its process is killed', async () => {
  const [directory, rootKeyFile] = [join(folder, 'killed'), join(folder, 'killed.key')]
  const lines: string[] = []
  for (const killAt of [1, 7, 20]) {
    const child = createKeys(directory, rootKeyFile, 1_000_000)
    const survived = await acknowledged(child, (count) => {
      if (count === killAt) child.kill('SIGKILL')
    })
    expect(child.signalCode).toBe('SIGKILL')
    // A last line that was cut short was not acknowledged.
    lines.push(...survived.filter((line) => line.length === survived[0]?.length))
    await assertAllThere(directory, rootKeyFile, lines)
  }
  expect(lines.length).toBeGreaterThanOrEqual(28)
})
