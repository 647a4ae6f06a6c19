import { createEngine } from '../../kms/engine/index.ts'
import type { KmsProvider } from '../../kms/index.ts'
import { engineProvider } from '../../kms/providers/local.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import { decrypt, rawAesKeyring, type EncryptedDataKey, type Keyring } from '../../src/index.ts'

export const plaintext: Uint8Array = Uint8Array.of(1, 2, 3)
export const aes: Keyring = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey: new Uint8Array(32).fill(7) })
export const OTHER_ARN = 'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-4000-8000-000000000000'

const engine = await createEngine({ store: memoryStore(), rootKey: new Uint8Array(32).fill(1) })
const first = (await engine.call('CreateKey', {})).KeyMetadata
const second = (await engine.call('CreateKey', {})).KeyMetadata
await engine.call('CreateAlias', { AliasName: 'alias/demo', TargetKeyId: first.KeyId })

export const provider: KmsProvider = engineProvider(engine)

/** Two keys; the first has the alias `alias/demo` and the id {@link keyId}. */
export const arns: readonly [string, string] = [first.Arn, second.Arn]
export const keyId: string = first.KeyId

/** A provider that counts what it is asked, and may answer something else. */
export function spied(overrides: Partial<KmsProvider> = {}): {
  readonly provider: KmsProvider
  readonly calls: string[]
} {
  const calls: string[] = []
  const inner: KmsProvider = { ...provider, ...overrides }
  return {
    calls,
    provider: {
      generateDataKey: (request) => {
        calls.push(`generateDataKey ${request.keyId}`)
        return inner.generateDataKey(request)
      },
      encrypt: (request) => {
        calls.push(`encrypt ${request.keyId}`)
        return inner.encrypt(request)
      },
      decrypt: (request) => {
        calls.push(`decrypt ${request.keyId}`)
        return inner.decrypt(request)
      },
      resolveKeyId: async (request) => (await inner.resolveKeyId?.(request)) ?? '',
    },
  }
}

/** Puts encrypted data keys of anybody's making before those of `inner`. */
export function preceded(inner: Keyring, ...encryptedDataKeys: readonly EncryptedDataKey[]): Keyring {
  return {
    wrap: async (materials) => {
      for (const key of encryptedDataKeys) materials.addEncryptedDataKey(key)
      await inner.wrap(materials)
    },
    unwrap: (...args) => inner.unwrap(...args),
  }
}

export function own(arn: string, ciphertext: Uint8Array = Uint8Array.of(1, 2, 3)): EncryptedDataKey {
  return { providerId: 'aws-kms', providerInfo: new TextEncoder().encode(arn), ciphertext }
}

export async function failure(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => undefined,
    (error: unknown) => error,
  )
}

export async function opens(keyring: Keyring, message: Uint8Array): Promise<boolean> {
  return (await decrypt(keyring, message)).plaintext.length === plaintext.length
}
