import { createEngine, type Engine } from '../../../kms/engine/index.ts'
import {
  createKmsServer,
  rootCredential,
  type CredentialSource,
  type KmsServer,
  type KmsServerOptions,
} from '../../../kms/server/index.ts'
import { memoryStore } from '../../../kms/store/memory.ts'
import { ACCOUNT, NOW, REGION, ROOT_KEY } from '../engine-setup.ts'
import { ACCESS_KEY_ID, SECRET } from './sign.ts'

/** The root's access key, as `sign` signs with it. */
export const ROOT: CredentialSource = rootCredential({
  accessKeyId: ACCESS_KEY_ID,
  secretAccessKey: SECRET,
  account: ACCOUNT,
})

/** A server over an engine in memory, with the calls that the engine saw. */
export interface ServerUnderTest {
  readonly engine: Engine
  readonly server: KmsServer
  readonly calls: { readonly action: string; readonly options: Readonly<Record<string, unknown>> }[]
  readonly errors: unknown[]
}

export async function newServer(options: Partial<KmsServerOptions> = {}): Promise<ServerUnderTest> {
  const engine = await createEngine({
    store: memoryStore(),
    rootKey: ROOT_KEY,
    account: ACCOUNT,
    region: REGION,
    clock: () => NOW,
  })
  const calls: ServerUnderTest['calls'] = []
  const errors: unknown[] = []
  const watched: Engine = {
    ...engine,
    call: (action, input, callOptions = {}) => {
      calls.push({ action, options: { ...callOptions } })
      return engine.call(action, input, callOptions)
    },
  }
  const server = createKmsServer({
    engine: watched,
    credentials: ROOT,
    clock: () => NOW,
    onError: (error) => errors.push(error),
    ...options,
  })
  return { engine, server, calls, errors }
}

/** Status, exception and message of an answer. */
export async function readError(response: Response): Promise<{ status: number; type: string; message: unknown }> {
  const { __type, message } = (await response.json()) as { __type: string; message?: unknown }
  return { status: response.status, type: __type, message }
}
