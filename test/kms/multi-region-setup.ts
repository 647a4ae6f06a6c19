import { expect } from 'vitest'
import type {
  ActionInput,
  ActionName,
  ActionOutput,
  AuditRecord,
  CallOptions,
  Engine,
  EngineOptions,
} from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { ACCOUNT, NOW, openEngine } from './engine-setup.ts'

export const DAY = 86_400_000
export const HOME = 'eu-central-1'
export const WEST = 'us-west-2'
export const EAST = 'ap-northeast-1'
export const REGIONS: readonly string[] = [HOME, WEST, EAST]

/** The ARN of a key in a Region. */
export function arnIn(region: string, keyId: string): string {
  return `arn:aws:kms:${region}:${ACCOUNT}:key/${keyId}`
}

type Call = <Name extends ActionName>(
  action: Name,
  input: ActionInput<Name>,
  options?: CallOptions,
) => Promise<ActionOutput<Name>>

/** A KMS of three Regions, with a clock that the test sets. */
export interface Regions {
  readonly engine: Engine
  readonly store: Store
  readonly in: (region: string) => Call
  readonly wait: (milliseconds: number) => void
  readonly now: () => number
  readonly events: (name: string) => Promise<readonly AuditRecord[]>
}

export async function openRegions(
  store: Store = memoryStore(),
  options: Partial<EngineOptions> = {},
): Promise<Regions> {
  let now = NOW
  const engine = await openEngine(store, { regions: REGIONS, clock: () => now, ...options })
  return {
    engine,
    store,
    in: (region) => (action, input, options) => engine.call(action, input, { ...options, region }),
    wait: (milliseconds) => (now += milliseconds),
    now: () => now,
    events: async (name) => {
      return (await engine.audit.list()).map(({ record }) => record).filter(({ eventName }) => eventName === name)
    },
  }
}

/** A primary key at home, with replicas elsewhere; answers its id. */
export async function newRelatedKeys(
  kms: Regions,
  replicas: readonly string[] = [WEST],
  input: ActionInput<'CreateKey'> = {},
): Promise<string> {
  const { KeyId } = (await kms.in(HOME)('CreateKey', { ...input, MultiRegion: true })).KeyMetadata
  for (const ReplicaRegion of replicas) await kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion })
  return KeyId
}

export async function describeIn(
  kms: Regions,
  region: string,
  KeyId: string,
): Promise<ActionOutput<'DescribeKey'>['KeyMetadata']> {
  return (await kms.in(region)('DescribeKey', { KeyId })).KeyMetadata
}

export async function encryptIn(kms: Regions, region: string, KeyId: string): Promise<Uint8Array> {
  return (await kms.in(region)('Encrypt', { KeyId, Plaintext: PLAINTEXT })).CiphertextBlob
}

export const PLAINTEXT: Uint8Array = Uint8Array.of(1, 2, 3)

/** Every one of these Regions reads a ciphertext, and says that it is its own key that did. */
export async function expectReadable(
  kms: Regions,
  CiphertextBlob: Uint8Array,
  keyId: string,
  regions: readonly string[],
): Promise<void> {
  for (const region of regions) {
    const { Plaintext, KeyId } = await kms.in(region)('Decrypt', { CiphertextBlob })
    expect([Plaintext, KeyId]).toEqual([PLAINTEXT, arnIn(region, keyId)])
  }
}
