import { createEngine } from '../../kms/engine/index.ts'
import type { KmsProvider } from '../../kms/index.ts'
import { engineProvider } from '../../kms/providers/local.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import { decrypt, type EncryptedDataKey, type Keyring } from '../../src/index.ts'
import { plaintext } from '../unit/src-setup.ts'

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

export function own(arn: string, ciphertext: Uint8Array = Uint8Array.of(1, 2, 3)): EncryptedDataKey {
  return { providerId: 'aws-kms', providerInfo: new TextEncoder().encode(arn), ciphertext }
}

export async function opens(keyring: Keyring, message: Uint8Array): Promise<boolean> {
  return (await decrypt(keyring, message)).plaintext.length === plaintext.length
}
