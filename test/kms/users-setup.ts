import { expect } from 'vitest'
import type { Engine, Principal } from '../../kms/engine/index.ts'
import { ACCOUNT, refused } from './engine-setup.ts'
import { openOneKey, PLAINTEXT, type OneKey } from './one-key-setup.ts'

export const ROOT = 'arn:aws:iam::111122223333:root'

export function userArn(name: string): string {
  return `arn:aws:iam::${ACCOUNT}:user/${name}`
}

export function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

/** What lets the account's own policies decide. */
export const DELEGATION: object = { Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'kms:*', Resource: '*' }

/** Allows a user something. */
export function allow(name: string, Action: string | readonly string[], more: object = {}): object {
  return { Effect: 'Allow', Principal: { AWS: userArn(name) }, Action, Resource: '*', ...more }
}

export async function newUser(engine: Engine, UserName: string): Promise<Principal> {
  await engine.iam('CreateUser', { UserName })
  const { AccessKey } = await engine.iam('CreateAccessKey', { UserName })
  return (await engine.credentials.find(AccessKey.AccessKeyId))!.principal
}

/** A KMS of one key and two users. */
export interface TwoUsers extends OneKey {
  readonly alice: Principal
  readonly bob: Principal
  readonly encryptAs: (caller: Principal, EncryptionContext?: Record<string, string>) => Promise<unknown>
  /** Gives the key these statements beside {@link DELEGATION}. */
  readonly putPolicy: (...statements: readonly object[]) => Promise<unknown>
  /** The call is denied, the audit shows it, and nobody used the key. */
  readonly denied: (call: Promise<unknown>, message?: string | RegExp) => Promise<void>
}

export async function openTwoUsers(): Promise<TwoUsers> {
  const kms = await openOneKey()
  const { engine, KeyId } = kms
  return Object.assign(kms, {
    alice: await newUser(engine, 'alice'),
    bob: await newUser(engine, 'bob'),
    encryptAs: async (caller: Principal, EncryptionContext: Record<string, string> = {}) =>
      engine.call('Encrypt', { KeyId, Plaintext: PLAINTEXT, EncryptionContext }, { caller }),
    putPolicy: async (...statements: readonly object[]) =>
      engine.call('PutKeyPolicy', { KeyId, Policy: policy(DELEGATION, ...statements) }),
    denied: async (call: Promise<unknown>, message: string | RegExp = /is not authorized to perform/) => {
      await refused(call, 'AccessDeniedException', message)
      const last = (await engine.audit.list()).at(-1)?.record
      expect(last).toMatchObject({ errorCode: 'AccessDenied', responseElements: null })
      expect(await engine.call('GetKeyLastUsage', { KeyId })).not.toHaveProperty('KeyLastUsage')
    },
  })
}
