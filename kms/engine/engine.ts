import { assertLength } from '../../bindings/bytes.ts'
import { KmsError } from '../errors.ts'
import type { BranchKeyItems } from '../hierarchical/branch-key-items.ts'
import type { Store } from '../store/store.ts'
import { actionOf } from './actions.ts'
import { scopeOf, type Scope } from './arn.ts'
import { openAudit, type Audit } from './audit.ts'
import { openBranchKeyItems } from './branch-keys.ts'
import { Calls } from './calls.ts'
import type { CallOptions } from './caller.ts'
import { openCredentials, type Credentials } from './credentials.ts'
import { keyStoreHost, type KeyStoreOptions } from './key-store-host.ts'
import { IAM_ACTIONS, type IamActionName, type IamTypes } from './iam.ts'
import { ROOT_KEY_BYTES, RootKeys } from './keys.ts'
import { wipeBytes } from './outside.ts'
import { openRoot } from './root.ts'
import { seedAction, type SeededKey } from './seed.ts'
import { Signals, type SignalListener } from './signals.ts'
import type { ActionInput, ActionName, ActionOutput } from './types.ts'

/** Options of {@link createEngine}. */
export interface EngineOptions {
  readonly store: Store
  /** 32 bytes that protect everything in the store. Copied. */
  readonly rootKey: Uint8Array
  /**
   * Milliseconds since 1970. Default `Date.now`. Give it where the platform's clock is right and the engine sleeps for weeks,
   * as in a Durable Object: a clock that is given is not doubted.
   */
  readonly clock?: (() => number) | undefined
  /**
   * Milliseconds of a clock that nobody sets. When `clock` runs more than an hour ahead of it, or begins seven days or
   * more after what the store last had, deletions wait for {@link Engine.confirmTime}. Default `performance.now`, or none
   * where `clock` is given.
   */
  readonly monotonicClock?: (() => number) | undefined
  /** Where random bytes come from: for tests alone, since keys that are not random protect nothing. */
  readonly unsafeRandom?: ((length: number) => Uint8Array) | undefined
  /** Twelve digits. Default 000000000000. */
  readonly account?: string | undefined
  /** Default us-east-1, or the first of `regions`. */
  readonly region?: string | undefined
  /** All Regions that calls may name. Default `region` alone. */
  readonly regions?: readonly string[] | undefined
  /** What custom key stores can be, and how they are reached. */
  readonly keyStores?: KeyStoreOptions | undefined
}

/** A key management service over a store. What it knows beside the root key, it finds there again. */
export interface Engine {
  readonly account: string
  /** The Region of calls that name none. */
  readonly region: string
  readonly regions: readonly string[]
  /** The log of all calls. */
  readonly audit: Audit
  /** The access keys of the users, for whoever verifies signatures. */
  readonly credentials: Credentials
  /** Where `kmsBranchKeys` of `waxseal/kms/hierarchical` can keep its records: in the store of this engine. */
  readonly branchKeyItems: BranchKeyItems
  /**
   * Runs one action in one transaction, by default as the root of the account. The answer comes when effect and audit
   * record are durable.
   *
   * `input` is copied before the promise is returned.
   *
   * @throws KmsError named as AWS KMS names the exception; TypeError for a member of the wrong JavaScript type;
   *   RangeError for a Region that is not one of the engine's
   * @throws `signal.reason` if aborted before the transaction begins
   */
  call<Name extends ActionName>(
    action: Name,
    input: ActionInput<Name>,
    options?: CallOptions,
  ): Promise<ActionOutput<Name>>
  /**
   * Runs one action on the users of the account and their access keys, with the names of AWS IAM, as the account's root.
   *
   * @throws KmsError `NoSuchEntityException`, `EntityAlreadyExistsException`, `DeleteConflictException`,
   *   `LimitExceededException`, `ValidationException`, or `MalformedPolicyDocumentException`
   */
  iam<Name extends IamActionName>(action: Name, input: IamTypes[Name]['input']): Promise<IamTypes[Name]['output']>
  /**
   * Makes a key with an id and material that are given: whoever has what they came from has the key. For tests and
   * development. It is recorded as CreateKey.
   *
   * @throws KmsError `AlreadyExistsException` if there is a key of that id; as CreateKey otherwise
   */
  seedKey(key: SeededKey, options?: Pick<CallOptions, 'region'>): Promise<ActionOutput<'CreateKey'>>
  /**
   * Does what is due by now: rotations, deletions, and what becomes of imported material. Calls do it as well, at their turn; a server calls this from a
   * timer. Answers when something is due next, in milliseconds since 1970, if anything is.
   */
  runDueWork(): Promise<number | undefined>
  /**
   * Tells a listener of what happens to keys by calls of this engine and its due work: rotations, expiring
   * and expired material, deletions, and use of a key that is pending deletion. Answers how to stop.
   */
  subscribe(listener: SignalListener): () => void
  /**
   * Whether deletions wait because the clock was ahead, as of the last call or look for due work: of keys, and of
   * imported material that expires. What is due to be deleted cannot be used either.
   */
  isTimeInDoubt(): boolean
  /**
   * Says that the time is right after all: what waits because the clock was ahead goes on. Other processes on the store go
   * on as well once this one has done something there, such as {@link Engine.runDueWork}.
   */
  confirmTime(): void
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
  const scopes = scopesOf(options)
  const keyStores = keyStoreHost(options.keyStores, clock)
  const keys = new RootKeys(rootKey, random)
  const storeKeys = await openRoot(store, keys, random).catch((error: unknown) => {
    keys.wipe()
    throw error
  })
  const monotonicClock = options.monotonicClock ?? (options.clock ? undefined : () => performance.now())
  const regions = scopes.map(({ region }) => region)
  const scope = scopes[0]
  const signals = new Signals()
  const calls = new Calls({ store, keys, storeKeys, keyStores, random, clock, monotonicClock, scope, regions, signals })
  let isClosed = false

  return {
    account: scopes[0].account,
    region: scopes[0].region,
    regions,
    audit: openAudit({ store, keys, storeKeys, random, clock }),
    credentials: openCredentials({ store, keys, scope: scopes[0] }),
    branchKeyItems: openBranchKeyItems({ store, keys, isClosed: () => isClosed }),
    async call(name, input, options = {}) {
      options.signal?.throwIfAborted()
      const scope = scopes.find(({ region }) => region === (options.region ?? scopes[0].region))
      if (!scope) throw new RangeError(`this KMS has no Region ${String(options.region)}`)
      if (isClosed) throw new KmsError('KMSInternalException', 'this KMS was closed')
      return calls.run(name, actionOf(name), input, options, scope)
    },
    async seedKey(key, { region = scopes[0].region } = {}) {
      const scope = scopes.find((known) => known.region === region)
      if (!scope) throw new RangeError(`this KMS has no Region ${region}`)
      if (isClosed) throw new KmsError('KMSInternalException', 'this KMS was closed')
      const { Description, KeySpec, KeyUsage, Tags, Policy } = key
      const input = { Description, KeySpec, KeyUsage, Tags, Policy }
      return calls.run('CreateKey', seedAction(key), input, { userAgent: 'waxseal seed' }, scope)
    },
    async iam(name, input) {
      if (isClosed) throw new KmsError('KMSInternalException', 'this KMS was closed')
      if (!Object.hasOwn(IAM_ACTIONS, name)) {
        throw new KmsError('UnknownOperationException', `This KMS has no action ${name} on users.`)
      }
      return calls.manage(name, input)
    },
    async runDueWork() {
      if (isClosed) throw new KmsError('KMSInternalException', 'this KMS was closed')
      return calls.runDueWork()
    },
    subscribe: (listener) => signals.subscribe(listener),
    isTimeInDoubt: () => calls.isTimeInDoubt,
    confirmTime: () => {
      calls.confirmTime()
    },
    async close() {
      isClosed = true
      try {
        await calls.idle()
        for (const cluster of keyStores.clusters.values()) await cluster.disconnect()
        await store.close()
      } finally {
        keys.wipe()
        wipeBytes(storeKeys)
      }
    },
  }
}

function scopesOf({ account, region, regions }: EngineOptions): readonly [Scope, ...Scope[]] {
  const [first, ...others] = regions ?? [region]
  const scopes: [Scope, ...Scope[]] = [scopeOf({ account, region: region ?? first })]
  for (const name of [first, ...others]) {
    const scope = scopeOf({ account, region: name })
    if (scopes.every((known) => known.region !== scope.region)) scopes.push(scope)
  }
  return scopes
}

export function systemRandom(length: number): Uint8Array<ArrayBuffer> {
  return globalThis.crypto.getRandomValues(new Uint8Array(length))
}

function checkedRandom(source: (length: number) => Uint8Array): (length: number) => Uint8Array<ArrayBuffer> {
  return (length) => {
    const bytes = Uint8Array.from(source(length))
    if (bytes.length !== length) throw new RangeError('unsafeRandom answered another length than it was asked for')
    return bytes
  }
}
