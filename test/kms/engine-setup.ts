import { createHash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'vitest'
import {
  createEngine,
  type ActionInput,
  type Engine,
  type EngineOptions,
  type KmsExceptionName,
} from '../../kms/engine/index.ts'
import { RootKeys } from '../../kms/engine/keys.ts'
import { RecordTransaction } from '../../kms/engine/records.ts'
import { KmsError } from '../../kms/errors.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { sqliteStore } from '../../kms/store/sqlite.ts'
import { temporaryFolder } from './temporary.ts'

export const ACCOUNT = '111122223333'
export const REGION = 'eu-central-1'
export const ROOT_KEY: Uint8Array = Uint8Array.from({ length: 32 }, (_, index) => index)
export const NOW: number = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
export const ARN_PREFIX = 'arn:aws:kms:eu-central-1:111122223333:'
/** The form of a key id, and of no key. */
export const ABSENT = '00000000-0000-4000-8000-000000000000'

/** The bytes SHA-256(seed ‖ counter) …: the same in each run. Keeps what it gave. */
export class SeededRandom {
  readonly drawn: Uint8Array[] = []
  readonly #seed: string

  constructor(seed = 'waxseal') {
    this.#seed = seed
  }

  readonly take = (length: number): Uint8Array => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) => {
      return createHash('sha256')
        .update(`${this.#seed} ${String(this.drawn.length)} ${String(index)}`)
        .digest()
    })
    const bytes = new Uint8Array(Buffer.concat(blocks).subarray(0, length))
    this.drawn.push(bytes)
    return bytes.slice()
  }
}

const folder = temporaryFolder()

/** Where a database can be. */
export function newFile(): string {
  return join(folder, randomUUID(), 'kms.sqlite')
}

/** Opens one store again and again: what was written is there after a close. */
export type StoreOpener = () => Promise<Store>

export const STORES: readonly { readonly store: string; readonly newStore: () => StoreOpener }[] = [
  {
    store: 'memory',
    newStore: () => {
      const store = memoryStore()
      return () => Promise.resolve(store)
    },
  },
  {
    store: 'SQLite',
    newStore: () => {
      const file = newFile()
      return () => sqliteStore({ file })
    },
  },
]

/** An engine with everything from outside fixed. */
export async function openEngine(store: Store, options: Partial<EngineOptions> = {}): Promise<Engine> {
  return createEngine({
    rootKey: ROOT_KEY,
    account: ACCOUNT,
    region: REGION,
    clock: () => NOW,
    ...options,
    store,
  })
}

export async function memoryEngine(options?: Partial<EngineOptions>): Promise<Engine> {
  return openEngine(memoryStore(), options)
}

/** Creates a key; answers its id. */
export async function newKey(engine: Engine, input: ActionInput<'CreateKey'> = {}): Promise<string> {
  return (await engine.call('CreateKey', input)).KeyMetadata.KeyId
}

/** Works on the rows as the engine does, under the root key of these tests. */
export async function writeRecords(store: Store, work: (records: RecordTransaction) => Promise<void>): Promise<void> {
  const keys = new RootKeys(ROOT_KEY, new SeededRandom().take)
  await store.transaction('write', (rows) => work(new RecordTransaction(rows, keys)))
}

/** The call fails with this exception; a text must be the whole message. */
export async function refused(
  call: Promise<unknown>,
  name: KmsExceptionName,
  message: string | RegExp = /^.+$/s,
): Promise<void> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(KmsError)
  const { name: exception, message: text, code } = error as KmsError
  expect({ exception, code, text }).toEqual({
    exception: name,
    code: 'ERR_WAXSEAL_KMS',
    text: typeof message === 'string' ? message : (expect.stringMatching(message) as unknown),
  })
}

/** Id of a key's row. */
export function rowIdOf(keyId: string): string {
  return `${ACCOUNT}/${REGION}/${keyId}`
}
