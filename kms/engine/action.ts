import type { Scope } from './arn.ts'
import type { RootKeys } from './keys.ts'
import type { ShapeName } from './model.ts'
import type { RecordTransaction } from './records.ts'

/** What an action works with: a transaction, the time and randomness, all from outside. */
export interface ActionContext {
  readonly scope: Scope
  /** Milliseconds since 1970. */
  readonly now: number
  readonly random: (length: number) => Uint8Array<ArrayBuffer>
  readonly keys: RootKeys
  readonly records: RecordTransaction
}

/** One action of the API. `act` gets an input that its shape allows. */
export interface Action<Input, Output> {
  readonly shape: ShapeName
  readonly mode: 'read' | 'write'
  act(context: ActionContext, input: Input): Promise<Output>
}
