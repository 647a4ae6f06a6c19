import { KmsError } from '../errors.ts'
import { PolicyReader } from '../policy/index.ts'
import type { Store } from '../store/store.ts'
import type { Action, ActionContext } from './action.ts'
import type { Scope } from './arn.ts'
import { Batch } from './batch.ts'
import { KnownRows } from './authentic-rows.ts'
import { accountRoot, type CallOptions } from './caller.ts'
import { CommitQueue } from './commit-queue.ts'
import { IAM_ACTIONS, type IamActionName, type IamTypes } from './iam.ts'
import { uuidOf } from './bytes.ts'
import type { KeyStoreHost } from './key-store-host.ts'
import type { RootKeys } from './keys.ts'
import { DueFirst } from './lookup.ts'
import { discard, OutsideResults, OutsideWork, wipeBytes } from './outside.ts'
import { assertUnderRoot } from './root.ts'
import type { Signals } from './signals.ts'
import type { StoreKeys } from './store-keys.ts'
import { TimeGuard } from './time-guard.ts'
import { callRecord, managementRecord, Trail } from './trail.ts'
import type { ActionName } from './types.ts'
import { validate } from './validate.ts'

/** What all calls of an engine share. */
export interface Host {
  readonly store: Store
  readonly keys: RootKeys
  readonly storeKeys: StoreKeys
  readonly keyStores: KeyStoreHost
  readonly random: (length: number) => Uint8Array<ArrayBuffer>
  readonly clock: () => number
  readonly monotonicClock: (() => number) | undefined
  readonly scope: Scope
  /** All Regions that are served. */
  readonly regions: readonly string[]
  readonly signals: Signals
}

/** One call, from its validation to its end. */
interface Call {
  readonly name: ActionName
  readonly action: Action<object, unknown>
  readonly input: Record<string, unknown> | undefined
  /** What validation found. */
  readonly fault: unknown
  readonly options: CallOptions
  readonly scope: Scope
  readonly results: OutsideResults
  /** The id that the call was given, or that was made when it was asked for. */
  requestId: string | undefined
}

type Outcome = { readonly output: unknown } | { readonly error: unknown }

/** Runs calls: each in a transaction with its audit record, and with what is due before it. */
export class Calls {
  readonly #host: Host
  readonly #known = new KnownRows()
  readonly #policies = new PolicyReader()
  readonly #queue: CommitQueue<Batch>
  readonly #guard: TimeGuard
  #removals: Promise<void> = Promise.resolve()
  #mustPurge = false

  constructor(host: Host) {
    this.#host = host
    this.#guard = new TimeGuard(host.monotonicClock)
    this.#queue = new CommitQueue((work) => this.#transact(work), discard)
  }

  /** `input` is copied before this returns. */
  async run<Output>(
    name: ActionName,
    action: Action<never, Output>,
    input: object,
    options: CallOptions,
    scope: Scope,
  ): Promise<Output> {
    const results = new OutsideResults()
    const { requestId } = options
    const call: Call = { ...validated(action, input), name, action, options, scope, results, requestId }
    try {
      for (;;) {
        const step = await this.#queue.run((batch) => this.#attempt(batch, call))
        if (!(step instanceof OutsideWork)) return step as Output
        await results.perform(step)
      }
    } catch (error) {
      results.wipe()
      throw error
    } finally {
      wipeBytes(call.input)
    }
  }

  /** Runs one action on users, as the account's root. `input` is copied before this returns. */
  async manage<Name extends IamActionName>(
    name: Name,
    given: IamTypes[Name]['input'],
  ): Promise<IamTypes[Name]['output']> {
    const input = structuredClone(given)
    return this.#queue.run(async (batch) => {
      const { scope, clock, random, keys } = this.#host
      const now = clock()
      const { records, schedule } = batch
      const outcome = await settled(() =>
        records.savepoint(() => IAM_ACTIONS[name]({ scope, now, random, keys, records, schedule }, input)),
      )
      const call = { name, input, caller: accountRoot(scope), request: {}, scope, now, outcome }
      await batch.log.append((ids) => managementRecord(call, ids))
      if ('error' in outcome) throw outcome.error
      return outcome.output
    })
  }

  /** Does all that is due; answers when the next is. */
  async runDueWork(): Promise<number | undefined> {
    for (;;) {
      const { isDone, next } = await this.#queue.run(async (batch) => {
        const now = this.#host.clock()
        const isDone = await batch.doDue(now, this.#mayDestroy(batch, now))
        return { isDone, next: (await batch.schedule.earliest())?.record.at }
      })
      if (isDone) return next
    }
  }

  get isTimeInDoubt(): boolean {
    return this.#guard.isInDoubt
  }

  confirmTime(): void {
    this.#guard.confirm()
  }

  #mayDestroy({ log }: Batch, now: number): boolean {
    const mayDestroy = this.#guard.mayDestroy(now, log.knownTime)
    if (mayDestroy) log.knownTime = now
    return mayDestroy
  }

  async idle(): Promise<void> {
    await this.#queue.idle()
    await this.#removals
  }

  async #transact<T>(work: (batch: Batch) => Promise<T>): Promise<T> {
    const { store, keys } = this.#host
    try {
      const { result, mustPurge, removed, signals } = await store.transaction('write', async (rows) => {
        const batch = await Batch.open(this.#host, rows, this.#known)
        const result = await work(batch)
        await batch.close()
        return { result, mustPurge: batch.mustPurge, removed: batch.removed, signals: batch.log.signals }
      })
      this.#host.signals.emit(signals)
      this.#removeKeys(removed)
      this.#mustPurge ||= mustPurge
      if (this.#mustPurge) await this.#purge()
      return result
    } catch (error) {
      // No row is authentic any more once the store was put under another root key: that is the better thing to say.
      if (error instanceof KmsError && error.name === 'KMSInternalException') await assertUnderRoot(store, keys)
      throw error
    }
  }

  /** The calls are durable, whatever comes of this: it is tried again after the next. */
  async #purge(): Promise<void> {
    this.#mustPurge = false
    await this.#host.store.purge().catch(() => (this.#mustPurge = true))
  }

  /** Only when it is durable that they ended. A module that is not at hand keeps its key, which nobody can use. */
  #removeKeys(removed: Batch['removed']): void {
    for (const { clusterId, keyId } of removed) {
      const removal = this.#host.keyStores.clusters
        .get(clusterId)
        ?.removeKey(keyId)
        .catch(() => undefined)
      if (removal) this.#removals = this.#removals.then(() => removal)
    }
  }

  /** Rejects for what came of the call, and answers work that it waits for. */
  async #attempt(batch: Batch, call: Call): Promise<unknown> {
    call.options.signal?.throwIfAborted()
    const now = this.#host.clock()
    const mayDestroy = this.#mayDestroy(batch, now)
    await batch.doDue(now, mayDestroy)
    const trail = new Trail()
    const outcome = await this.#act(batch, call, { now, trail }, mayDestroy)
    if ('error' in outcome && outcome.error instanceof OutsideWork) return outcome.error
    try {
      await this.#record(batch, call, { now, trail }, outcome)
    } catch (error) {
      if ('output' in outcome) discard(outcome.output)
      throw error
    }
    if ('error' in outcome) throw outcome.error
    return outcome.output
  }

  async #act(batch: Batch, call: Call, moment: { now: number; trail: Trail }, mayDestroy: boolean): Promise<Outcome> {
    const { action, input } = call
    if (input === undefined) return { error: call.fault }
    for (;;) {
      try {
        const act = (): Promise<unknown> => action.act(this.#context(batch, call, input, moment), input)
        return { output: await (action.mode === 'write' ? batch.records.savepoint(act) : act()) }
      } catch (error) {
        if (!(error instanceof DueFirst)) return { error }
        // The key's row says so though the schedule did not: see to it now, outside what the action would undo.
        if (await batch.doDueOf(error.keyId, error.scope, moment.now, mayDestroy)) continue
        return { error: new KmsError('KMSInvalidStateException', 'The key is due, and its clock is not confirmed.') }
      }
    }
  }

  #context(
    batch: Batch,
    call: Call,
    input: Readonly<Record<string, unknown>>,
    { now, trail }: { now: number; trail: Trail },
  ): ActionContext {
    const { scope, name, options, results } = call
    const { random, keys, storeKeys, keyStores, regions } = this.#host
    return {
      action: name,
      caller: options.caller ?? accountRoot(scope),
      input,
      request: options,
      scope,
      regions,
      now,
      random,
      keys,
      storeKeys,
      keyStores,
      policies: this.#policies,
      records: batch.records,
      schedule: batch.schedule,
      trail,
      usageOf: (keyRow) => batch.usageOf(keyRow),
      outside: results.replay(),
      requestId: () => (call.requestId ??= uuidOf(random(16))),
    }
  }

  async #record(batch: Batch, call: Call, moment: { now: number; trail: Trail }, outcome: Outcome): Promise<void> {
    const { name, action, input, scope, requestId } = call
    const options = { ...call.options, requestId }
    const recorded = {
      action: name,
      shape: action.shape,
      isReadOnly: action.isReadOnly ?? action.mode === 'read',
      caller: options.caller ?? accountRoot(scope),
      request: options,
      scope,
      input,
      outcome,
      ...moment,
    }
    const ids = await batch.log.append((ids) => callRecord(recorded, ids))
    if ('error' in outcome) return
    await batch.noteConsequences(recorded, ids)
    const usage = { operation: name, at: moment.now, ...ids, requestId: options.requestId ?? ids.requestId }
    for (const keyRow of moment.trail.used) batch.noteUsage(keyRow, usage)
  }
}

async function settled<T>(work: () => Promise<T>): Promise<{ readonly output: T } | { readonly error: unknown }> {
  try {
    return { output: await work() }
  } catch (error) {
    return { error }
  }
}

/** A copy of the input, or why it is not what its shape allows; throws for a value of the wrong JavaScript type. */
function validated(action: Action<never, unknown>, input: object): Pick<Call, 'input' | 'fault'> {
  try {
    return { input: validate(action.shape, input), fault: undefined }
  } catch (fault) {
    if (fault instanceof KmsError) return { input: undefined, fault }
    throw fault
  }
}
