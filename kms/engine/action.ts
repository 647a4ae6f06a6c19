import type { PolicyReader } from '../policy/index.ts'
import type { Scope } from './arn.ts'
import type { CallOptions, Principal } from './caller.ts'
import type { KeyStoreHost } from './key-store-host.ts'
import type { RootKeys } from './keys.ts'
import type { ShapeName } from './model.ts'
import type { RecordTransaction, UsageRecord } from './records.ts'
import type { Schedule } from './schedule.ts'
import type { StoreKeys } from './store-keys.ts'
import type { Trail } from './trail.ts'
import type { ActionName } from './types.ts'

/** What an action works with: a transaction, the time and randomness, all from outside. */
export interface ActionContext {
  readonly action: ActionName
  readonly caller: Principal
  /** As it was given, but validated. */
  readonly input: Readonly<Record<string, unknown>>
  readonly request: Omit<CallOptions, 'signal' | 'caller' | 'region'>
  readonly scope: Scope
  /** All Regions that are served. */
  readonly regions: readonly string[]
  /** Milliseconds since 1970. */
  readonly now: number
  readonly random: (length: number) => Uint8Array<ArrayBuffer>
  readonly keys: RootKeys
  readonly storeKeys: StoreKeys
  /** What custom key stores need from outside. */
  readonly keyStores: KeyStoreHost
  readonly policies: PolicyReader
  readonly records: RecordTransaction
  readonly schedule: Schedule
  /** What the audit record of this call says beside its input and output. */
  readonly trail: Trail
  /** The last use of a key, with what earlier calls of this transaction did. */
  usageOf(keyRow: string): Promise<UsageRecord | undefined>
  /**
   * Does slow work outside the transaction: the action is left here, and begins anew, in another transaction, when the
   * work is done; it comes here again with the same checks passed, and gets the result. `work` must not use the context.
   * A result of bytes, or with members of bytes, is wiped if the call then fails. `subject` names what the work is done
   * on, as far as that may be another one when the action begins anew: then the work is done anew, too.
   */
  outside<T>(work: () => T | Promise<T>, subject?: string): Promise<T>
  /** The id of the call: what the caller knows it by, or else one that the audit record has, too. */
  requestId(): string
}

/** One action of the API. `act` gets an input that its shape allows. */
export interface Action<Input, Output> {
  readonly shape: ShapeName
  /** What an action in `write` mode wrote is undone when it fails. */
  readonly mode: 'read' | 'write'
  /** Whether the audit record calls it so; default: an action in `read` mode. */
  readonly isReadOnly?: boolean
  act(context: ActionContext, input: Input): Promise<Output>
}
