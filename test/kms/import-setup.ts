import { keyPairs } from '#key-pairs'
import { vi } from 'vitest'
import type { KeyPair } from '../../bindings/key-pairs.ts'
import type { ActionInput, ActionOutput, Engine } from '../../kms/engine/index.ts'
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
