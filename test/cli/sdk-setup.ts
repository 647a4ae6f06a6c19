import { createPublicKey, type KeyObject } from 'node:crypto'
import type { KeySpec, KeyUsageType, KMS } from '@aws-sdk/client-kms'
import type { XksProxy } from '../kms/xks-proxy.ts'
import { client, rootCredentials, serve, type AccessKey } from './server.ts'
import { Shell, succeeded } from './shell.ts'
import { startProxy } from './xks-network.ts'

export const PLAINTEXT: Uint8Array<ArrayBuffer> = new TextEncoder().encode('a plaintext of several words')

export function bytes(value: Uint8Array | undefined): Buffer {
  return Buffer.from(value ?? [])
}

/** `waxseal serve` with the AWS SDK's clients of it. */
export interface Served {
  readonly kms: KMS
  /** The same server in another Region. */
  readonly elsewhere: KMS
  /** The proxy of an external key store that the server reaches; has `key-1`. */
  readonly proxy: XksProxy
  /** The actions that went well. */
  readonly called: ReadonlySet<string>
  readonly newKey: (KeySpec?: KeySpec, KeyUsage?: KeyUsageType) => Promise<string>
  readonly publicKeyOf: (KeyId: string) => Promise<KeyObject>
  /** Makes a user by `waxseal iam`; answers a client of his. */
  readonly newUser: (name: string) => Promise<KMS>
  readonly stop: () => Promise<void>
}

export async function serveSdk(): Promise<Served> {
  const shell = new Shell()
  const network = await startProxy(shell, 'us-east-1')
  network.proxy.addKey('key-1')
  const server = await serve(shell, '--region', 'us-east-1', '--region', 'eu-west-1')
  const called = new Set<string>()
  const watched = (client: KMS): KMS => watch(client, called)
  const kms = watched(client(server.url, rootCredentials(shell)))
  const elsewhere = watched(client(server.url, rootCredentials(shell), 'eu-west-1'))
  const newKey: Served['newKey'] = async (KeySpec = 'SYMMETRIC_DEFAULT', KeyUsage = 'ENCRYPT_DECRYPT') => {
    return (await kms.createKey({ KeySpec, KeyUsage })).KeyMetadata?.KeyId ?? ''
  }
  const publicKeyOf = async (KeyId: string): Promise<KeyObject> => {
    const { PublicKey } = await kms.getPublicKey({ KeyId })
    return createPublicKey({ key: bytes(PublicKey), format: 'der', type: 'spki' })
  }
  const newUser = async (name: string): Promise<KMS> => watched(client(server.url, await newCredentials(shell, name)))
  const stop = async (): Promise<void> => {
    kms.destroy()
    elsewhere.destroy()
    succeeded(await server.stop())
    network.stop()
    shell.remove()
  }
  return { kms, elsewhere, proxy: network.proxy, called, newKey, publicKeyOf, newUser, stop }
}

async function newCredentials(shell: Shell, name: string): Promise<AccessKey> {
  const iam = async (action: string): Promise<string> =>
    succeeded(await shell.waxseal(['iam', action, '--user-name', name, '--kms', shell.path('data')]))
  await iam('create-user')
  const { AccessKey } = JSON.parse(await iam('create-access-key')) as {
    AccessKey: { AccessKeyId: string; SecretAccessKey: string }
  }
  return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }
}

/** Has a client note the actions that went well. */
function watch(client: KMS, called: Set<string>): KMS {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (input) => {
        const result = await next(input)
        called.add(commandName.replace(/Command$/, ''))
        return result
      },
    { step: 'initialize' },
  )
  return client
}
