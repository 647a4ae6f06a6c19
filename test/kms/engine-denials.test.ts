import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { HEAD_ROW } from '../../kms/engine/audit-log.ts'
import type { CallOptions, Engine, KmsExceptionName, Principal } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { TABLES } from '../../kms/store/store.ts'
import { importMaterial } from './import-setup.ts'
import { ACCOUNT, ARN_PREFIX, newKey, NOW, openEngine, refused } from './engine-setup.ts'

// What is allowed goes well, then it is taken away, and the same calls fail, each with its exception: the log shows it,
// and no other row of the store has changed.

const DAY = 86_400_000
const ROOT = `arn:aws:iam::${ACCOUNT}:root`
const ALICE = `arn:aws:iam::${ACCOUNT}:user/alice`
const CAROL = `arn:aws:iam::${ACCOUNT}:user/carol`
const CONTEXT = { tenant: 'a' }

interface Setting {
  readonly store: Store
  readonly engine: Engine
  keyId: string
  readonly alice: Principal
  readonly wait: (milliseconds: number) => void
}

async function newSetting(): Promise<Setting> {
  let now = NOW
  const store = memoryStore()
  const engine = await openEngine(store, { clock: () => now })
  await engine.iam('CreateUser', { UserName: 'alice' })
  const { AccessKey } = await engine.iam('CreateAccessKey', { UserName: 'alice' })
  const { principal } = (await engine.credentials.find(AccessKey.AccessKeyId))!
  return { store, engine, keyId: await newKey(engine), alice: principal, wait: (time) => (now += time) }
}

const statement = (Effect: string, AWS: string): object => ({ Effect, Principal: { AWS }, Action: '*', Resource: '*' })

async function putPolicy({ engine, keyId }: Setting, ...statements: readonly object[]): Promise<void> {
  const document = { Version: '2012-10-17', Statement: [statement('Allow', ROOT), ...statements] }
  await engine.call('PutKeyPolicy', { KeyId: keyId, Policy: JSON.stringify(document) })
}

async function giveGrant({ engine, keyId }: Setting): Promise<{ GrantId: string; GrantToken: string }> {
  return engine.call('CreateGrant', {
    KeyId: keyId,
    GranteePrincipal: ALICE,
    Operations: ['GenerateDataKey', 'CreateGrant', 'RetireGrant'],
    Constraints: { EncryptionContextSubset: CONTEXT },
  })
}

type Calls = (setting: Setting, context: Record<string, string>) => readonly Promise<unknown>[]

/** One that only uses the key, and one that would write. */
const calls = (options: (setting: Setting) => CallOptions): Calls => {
  return (setting, EncryptionContext) => {
    const { engine, keyId: KeyId } = setting
    const grant = { Operations: ['GenerateDataKey'], Constraints: { EncryptionContextSubset: EncryptionContext } }
    return [
      engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256', EncryptionContext }, options(setting)),
      engine.call('CreateGrant', { KeyId, GranteePrincipal: CAROL, ...grant }, options(setting)),
    ]
  }
}
const byAlice = calls(({ alice }) => ({ caller: alice }))
const byRoot = calls(() => ({}))

interface Case {
  readonly calls: Calls
  readonly allow: (setting: Setting) => Promise<unknown>
  readonly end: (setting: Setting, given: unknown) => Promise<unknown>
  readonly error: KmsExceptionName
  readonly message: RegExp
  /** Of the calls that fail, where it is another one. */
  readonly context?: Record<string, string>
}

const denied = { calls: byAlice, error: 'AccessDeniedException' } as const
const nothing = (): Promise<void> => Promise.resolve()

const CASES: Readonly<Record<string, Case>> = {
  'a Deny of a policy': {
    ...denied,
    allow: (setting) => putPolicy(setting, statement('Allow', ALICE)),
    end: (setting) => putPolicy(setting, statement('Allow', ALICE), statement('Deny', ALICE)),
    message: /^User: \S+\/alice is not authorized .* with an explicit deny in a resource-based policy$/,
  },
  'no Allow': {
    ...denied,
    allow: (setting) => putPolicy(setting, statement('Allow', ALICE)),
    end: (setting) => putPolicy(setting),
    message: /^User: \S+\/alice is not authorized .* because no identity-based policy allows the kms:\w+ action$/,
  },
  'the constraints of a grant': {
    ...denied,
    allow: giveGrant,
    end: nothing,
    context: { tenant: 'b' },
    message:
      /^User: \S+\/alice (?:is not authorized to perform: kms:GenerateDataKey|can create no grant that is wider)/,
  },
  'a retired grant': {
    ...denied,
    allow: giveGrant,
    end: ({ engine, alice }, given) => {
      const { GrantToken } = given as { GrantToken: string }
      return engine.call('RetireGrant', { GrantToken }, { caller: alice })
    },
    message: /^User: \S+\/alice is not authorized to perform: kms:/,
  },
  'a revoked grant': {
    ...denied,
    allow: giveGrant,
    end: ({ engine, keyId }, given) => {
      return engine.call('RevokeGrant', { KeyId: keyId, GrantId: (given as { GrantId: string }).GrantId })
    },
    message: /^User: \S+\/alice is not authorized to perform: kms:/,
  },
  'an ended deletion': {
    calls: byRoot,
    allow: nothing,
    end: async ({ engine, keyId, wait }) => {
      await engine.call('ScheduleKeyDeletion', { KeyId: keyId, PendingWindowInDays: 7 })
      wait(7 * DAY)
      await engine.runDueWork()
    },
    error: 'NotFoundException',
    message: /^Key 'arn:\S+' does not exist$/,
  },
  'an expired import': {
    calls: byRoot,
    allow: async (setting) => {
      const { engine } = setting
      setting.keyId = (await engine.call('CreateKey', { Origin: 'EXTERNAL' })).KeyMetadata.KeyId
      await importMaterial(engine, setting.keyId, randomBytes(32), { ValidTo: new Date(NOW + DAY) })
    },
    end: async ({ engine, wait }) => {
      wait(DAY)
      await engine.runDueWork()
    },
    error: 'KMSInvalidStateException',
    message: /^arn:\S+ is pending import\.$/,
  },
  'a disabled key': {
    calls: byRoot,
    allow: nothing,
    end: ({ engine, keyId }) => engine.call('DisableKey', { KeyId: keyId }),
    error: 'DisabledException',
    message: /^arn:\S+ is disabled\.$/,
  },
}

/** Every row but those of the log. */
async function rowsOf(store: Store): Promise<unknown> {
  return store.transaction('read', async (rows) => {
    const tables = TABLES.filter((table) => table !== 'audit' && table !== 'index')
    const found = await Promise.all(
      tables.map(async (table) => [table, await rows.list(table, { prefix: '', limit: 1000 })] as const),
    )
    return found.map(([table, list]) => [table, list.filter(({ id }) => id !== HEAD_ROW)])
  })
}

describe.each(Object.entries(CASES))('%s', (_, { calls, allow, end, error, message, context = CONTEXT }) => {
  it('ends what went well before, is on record, and leaves no trace beside it', async () => {
    const setting = await newSetting()
    const { store, engine } = setting
    const given = await allow(setting)
    const { keyId } = setting
    await Promise.all(calls(setting, CONTEXT))
    await end(setting, given)
    const before = await rowsOf(store)
    const { records } = await engine.audit.head()

    for (const call of calls(setting, context)) await refused(call, error, message)

    expect(await rowsOf(store)).toEqual(before)
    const written = await engine.audit.list({ after: records })
    expect(written.map(({ record }) => record)).toMatchObject(
      ['GenerateDataKey', 'CreateGrant'].map((eventName) => ({
        eventName,
        errorCode: error === 'AccessDeniedException' ? 'AccessDenied' : error,
        errorMessage: expect.stringMatching(message) as unknown,
        responseElements: null,
        requestParameters: { keyId },
        userIdentity: { arn: calls === byAlice ? ALICE : ROOT },
        resources: error === 'NotFoundException' ? [] : [{ ARN: `${ARN_PREFIX}key/${keyId}` }],
      })),
    )
    await engine.audit.verify()
  })
})
