import type { ActionInput, ActionOutput, AuditRecord, Engine, EngineOptions } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { ARN_PREFIX, NOW, newKey, openEngine } from './engine-setup.ts'

export const DAY = 86_400_000
export const PLAINTEXT: Uint8Array = Uint8Array.of(1, 2, 3)

/** A KMS of one key, with a clock that the test sets. */
export interface OneKey {
  /** What the clock shows, in milliseconds. */
  now: number
  readonly engine: Engine
  readonly store: Store
  readonly KeyId: string
  readonly arn: string
  readonly metadata: () => Promise<ActionOutput<'DescribeKey'>['KeyMetadata']>
  /** Encrypts {@link PLAINTEXT}. */
  readonly encrypt: () => Promise<Uint8Array>
  /** The audit's records of this name. */
  readonly events: (name: string) => Promise<readonly AuditRecord[]>
}

export async function openOneKey(
  options: Partial<EngineOptions> = {},
  input: ActionInput<'CreateKey'> = {},
): Promise<OneKey> {
  const store = memoryStore()
  const kms = { now: NOW }
  const engine = await openEngine(store, { clock: () => kms.now, ...options })
  const KeyId = await newKey(engine, input)
  return Object.assign(kms, {
    engine,
    store,
    KeyId,
    arn: `${ARN_PREFIX}key/${KeyId}`,
    metadata: async () => (await engine.call('DescribeKey', { KeyId })).KeyMetadata,
    encrypt: async () => (await engine.call('Encrypt', { KeyId, Plaintext: PLAINTEXT })).CiphertextBlob,
    events: async (name: string) => {
      return (await engine.audit.list()).map(({ record }) => record).filter(({ eventName }) => eventName === name)
    },
  })
}
