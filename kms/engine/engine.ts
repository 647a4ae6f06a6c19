import { assertLength } from '../../bindings/bytes.ts'
import { AuthenticationError } from '../../bindings/errors.ts'
import { KmsError } from '../errors.ts'
import type { Row, Store, StoreTransaction } from '../store/store.ts'
import type { Action } from './action.ts'
import { createAlias } from './actions/create-alias.ts'
import { createKey } from './actions/create-key.ts'
import { decrypt } from './actions/decrypt.ts'
import { describeKey } from './actions/describe-key.ts'
import { encrypt } from './actions/encrypt.ts'
import { generateDataKey, generateDataKeyWithoutPlaintext } from './actions/generate-data-key.ts'
import { listAliases } from './actions/list-aliases.ts'
import { listKeys } from './actions/list-keys.ts'
import { scopeOf } from './arn.ts'
import { fromHex, toHex } from './bytes.ts'
import { ROOT_KEY_BYTES, RootKeys } from './keys.ts'
import { ROOT_ROW } from './lookup.ts'
import { RecordTransaction, tampered, type RootRecord } from './records.ts'
import type { ActionInput, ActionName, ActionOutput } from './types.ts'
import { validate } from './validate.ts'

const ACTIONS: { readonly [Name in ActionName]: Action<ActionInput<Name>, ActionOutput<Name>> } = {
  CreateAlias: createAlias,
  CreateKey: createKey,
  Decrypt: decrypt,
  DescribeKey: describeKey,
  Encrypt: encrypt,
  GenerateDataKey: generateDataKey,
  GenerateDataKeyWithoutPlaintext: generateDataKeyWithoutPlaintext,
  ListAliases: listAliases,
  ListKeys: listKeys,
}

/** Options of {@link createEngine}. */
export interface EngineOptions {
  readonly store: Store
  /** 32 bytes that protect everything in the store. Copied. */
  readonly rootKey: Uint8Array
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** Where random bytes come from: for tests alone, since keys that are not random protect nothing. */
  readonly unsafeRandom?: ((length: number) => Uint8Array) | undefined
  /** Twelve digits. Default 000000000000. */
  readonly account?: string | undefined
  /** Default us-east-1. */
  readonly region?: string | undefined
}

/** A key management service over a store. It keeps no state of its own but the root key. */
export interface Engine {
  readonly account: string
  readonly region: string
  /**
   * Runs one action in one transaction, as the root of the account.
   *
   * `input` is copied before the promise is returned.
   *
   * @throws KmsError named as AWS KMS names the exception; TypeError for a member of the wrong JavaScript type
   * @throws `signal.reason` if aborted before the transaction begins
   */
  call<Name extends ActionName>(
    action: Name,
    input: ActionInput<Name>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<ActionOutput<Name>>
  /** Wipes the root key and closes the store; every later call fails. */
  close(): Promise<void>
}

/**
 * Opens the KMS in a store. An empty store is put under `rootKey`; from then on it opens with that key only.
 *
 * @throws KmsError `RootKeyException` if the store is under another root key; nothing is changed
 * @throws KmsError `KMSInternalException` if what the store says of its root key was changed
 * @throws TypeError or RangeError if the root key is not 32 bytes, or account or region are not in their form
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { store, rootKey, clock = Date.now } = options
  const random = options.unsafeRandom ? checkedRandom(options.unsafeRandom) : systemRandom
  assertLength(rootKey, 'rootKey', ROOT_KEY_BYTES)
  const scope = scopeOf(options)
  const keys = new RootKeys(rootKey, random)
  try {
    await openRoot(store, keys, random)
  } catch (error) {
    keys.wipe()
    throw error
  }
  let isClosed = false

  return {
    account: scope.account,
    region: scope.region,
    async call(name, input, { signal } = {}) {
      signal?.throwIfAborted()
      if (isClosed) throw new KmsError('KMSInternalException', 'this KMS was closed')
      const action = actionOf(name)
      const checked = validate(action.shape, input)
      try {
        return await store.transaction(action.mode, async (transaction) => {
          signal?.throwIfAborted()
          const records = new RecordTransaction(transaction, keys)
          const context = { scope, now: clock(), random, keys, records }
          return action.act(context, checked)
        })
      } finally {
        wipeBytes(checked)
      }
    },
    async close() {
      isClosed = true
      try {
        await store.close()
      } finally {
        keys.wipe()
      }
    },
  }
}

function actionOf<Name extends ActionName>(name: Name): Action<ActionInput<Name>, ActionOutput<Name>> {
  if (!Object.hasOwn(ACTIONS, name)) throw new KmsError('UnknownOperationException', `This KMS has no action ${name}.`)
  return ACTIONS[name]
}

function wipeBytes(input: Readonly<Record<string, unknown>>): void {
  for (const value of Object.values(input)) if (value instanceof Uint8Array) value.fill(0)
}

function systemRandom(length: number): Uint8Array<ArrayBuffer> {
  return globalThis.crypto.getRandomValues(new Uint8Array(length))
}

function checkedRandom(source: (length: number) => Uint8Array): (length: number) => Uint8Array<ArrayBuffer> {
  return (length) => {
    const bytes = Uint8Array.from(source(length))
    if (bytes.length !== length) throw new RangeError('unsafeRandom answered another length than it was asked for')
    return bytes
  }
}

const CHECK_VALUE = new TextEncoder().encode('waxseal-kms-root-v1')

/** Puts an empty store under the root key, or checks that this is the key that the store is under. */
async function openRoot(store: Store, keys: RootKeys, random: (length: number) => Uint8Array): Promise<void> {
  if (await store.transaction('read', (rows) => isUnder(keys, rows))) return
  await store.transaction('write', async (rows) => {
    if (await isUnder(keys, rows)) return
    for (const table of ['key', 'material', 'alias'] as const) {
      const [found] = await rows.list(table, { prefix: '', limit: 1 })
      if (found) throw new KmsError('RootKeyException', 'the store holds keys and does not say under which root key')
    }
    const rootKeyId = toHex(random(16))
    const record: RootRecord = { rootKeyId, check: toHex(keys.seal(CHECK_VALUE, ...checkDescription(rootKeyId))) }
    await new RecordTransaction(rows, keys).put('meta', ROOT_ROW, record)
  })
}

/** False if the store is under no root key yet. @throws KmsError `RootKeyException` if it is under another one */
async function isUnder(keys: RootKeys, rows: StoreTransaction): Promise<boolean> {
  const row = await rows.get('meta', ROOT_ROW)
  if (!row) return false
  const { rootKeyId, check } = readRootRow(row)
  try {
    keys.unseal(check, ...checkDescription(rootKeyId))
  } catch (error) {
    if (!(error instanceof AuthenticationError)) throw error
    throw new KmsError(
      'RootKeyException',
      `this is not the root key of the KMS (root key id ${rootKeyId}): give the file that it was made with`,
    )
  }
  // Only now is this the key that the row's MAC is under.
  await new RecordTransaction(rows, keys).get('meta', ROOT_ROW)
  return true
}

function checkDescription(rootKeyId: string): readonly string[] {
  return ['root key check', rootKeyId]
}

/** Nothing in the row is authenticated yet. */
function readRootRow({ body }: Row): { readonly rootKeyId: string; readonly check: Uint8Array } {
  try {
    const { rootKeyId, check } = JSON.parse(body) as RootRecord
    return { rootKeyId: toHex(fromHex(rootKeyId)), check: fromHex(check) }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) {
      throw tampered('meta', ROOT_ROW)
    }
    throw error
  }
}
