import { keyPairs } from '#key-pairs'
import { createHash } from 'node:crypto'
import { vi } from 'vitest'
import type { KeyPair } from '../../bindings/key-pairs.ts'
import type { ActionInput, ActionOutput, Engine } from '../../kms/engine/index.ts'
import type { Row } from '../../kms/store/memory.ts'
import { openOneKey, type OneKey } from './one-key-setup.ts'
import { wrap } from './wrap-material.ts'

// Imports of key material as a caller makes them.

export const NEVER = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' } as const

export interface Wrapping {
  readonly algorithm?: string
  readonly keySpec?: string
}

/** The members of ImportKeyMaterial that hold material, wrapped for a key. */
export async function wrapFor(
  engine: Engine,
  KeyId: string,
  material: Uint8Array,
  { algorithm = 'RSAES_OAEP_SHA_256', keySpec = 'RSA_2048' }: Wrapping = {},
): Promise<Pick<ActionInput<'ImportKeyMaterial'>, 'KeyId' | 'ImportToken' | 'EncryptedKeyMaterial'>> {
  const input = { KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec: keySpec }
  const { ImportToken, PublicKey } = await engine.call('GetParametersForImport', input)
  return { KeyId, ImportToken, EncryptedKeyMaterial: wrap(PublicKey, algorithm, material) }
}

type Options = Partial<ActionInput<'ImportKeyMaterial'>>

/** Imports material that does not expire unless `options` say otherwise. */
export async function importMaterial(
  engine: Engine,
  KeyId: string,
  material: Uint8Array,
  options: Options = NEVER,
  wrapping?: Wrapping,
): Promise<ActionOutput<'ImportKeyMaterial'>> {
  return engine.call('ImportKeyMaterial', { ...(await wrapFor(engine, KeyId, material, wrapping)), ...options })
}

/** Wrapping keys are what takes the time here: the runtime's own, but each made once and given again. */
export function reuseWrappingKeys(): void {
  const made = new Map<string, Promise<KeyPair>>()
  const generate = keyPairs.generate.bind(keyPairs)
  let calls = 0
  vi.spyOn(keyPairs, 'generate').mockImplementation(async (spec) => {
    // Two in turn, so that neighbours differ.
    const name = spec === 'RSA_2048' ? `${spec} ${String(calls++ % 2)}` : spec
    const pair = made.get(name) ?? generate(spec)
    made.set(name, pair)
    const { publicKey, privateKey } = await pair
    return { publicKey: publicKey.slice(), privateKey: privateKey.slice() }
  })
}

/** Material for a symmetric key; the same for the same text. */
export function materialOf(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest())
}

export const FIRST: Uint8Array = materialOf('first')
export const SECOND: Uint8Array = materialOf('second')
export const THIRD: Uint8Array = materialOf('third')

/** A KMS of one key of origin EXTERNAL, which waits for its material. */
export interface ImportingKey extends OneKey {
  readonly decrypted: (CiphertextBlob: Uint8Array) => Promise<Uint8Array>
  readonly rotations: () => Promise<readonly object[]>
  readonly rowsOf: (table: 'import' | 'material') => Promise<readonly Row[]>
}

export async function openImportingKey(): Promise<ImportingKey> {
  const kms = await openOneKey({}, { Origin: 'EXTERNAL' })
  const { engine, store, KeyId } = kms
  return Object.assign(kms, {
    decrypted: async (CiphertextBlob: Uint8Array) => (await engine.call('Decrypt', { CiphertextBlob })).Plaintext,
    rotations: async () => {
      const { Rotations } = await engine.call('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })
      return Rotations
    },
    rowsOf: async (table: 'import' | 'material') =>
      store.transaction('read', (rows) => rows.list(table, { prefix: '', limit: 1000 })),
  })
}
