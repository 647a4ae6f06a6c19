import { readFileSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { ACTION_NAMES } from '../../kms/engine/actions.ts'
import { HEAD_ROW } from '../../kms/engine/audit-log.ts'
import type { KmsExceptionName } from '../../kms/engine/index.ts'
import { KmsError } from '../../kms/errors.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import { sqliteStore } from '../../kms/store/sqlite.ts'
import { DECLARED } from './declared-errors.ts'
import { newFile, refused } from './engine-setup.ts'
import { reuseWrappingKeys } from './import-setup.ts'
import { callAction, INPUTS, newSubject, provocationOf, SPECIFIC_NAMES } from './provocations.ts'

// Every exception that the service model declares for an action is provoked here, or it is said why it cannot be.

const ACTIONS = Object.keys(DECLARED)

/** Exceptions that an action never ends with, and why. */
const NEVER: readonly (readonly [reason: string, pairs: readonly string[]])[] = [
  [
    'the action goes on in every state of a key',
    ['DeleteAlias', 'GetKeyPolicy', 'ListGrants', 'ListKeyPolicies', 'PutKeyPolicy', 'RetireGrant', 'RevokeGrant']
      .concat('GetKeyRotationStatus', 'ListKeyRotations')
      .map((action) => `${action} KMSInvalidState`),
  ],
  ['the call names nothing that could be missing', ['ListRetirableGrants NotFound']],
  ['no parameter is an ARN', ['CreateKey InvalidArn']],
  ['no number of enabled keys is too high', ['EnableKey LimitExceeded']],
  ['too many tags are a TagException', ['TagResource LimitExceeded']],
  ['every key can have any policy', ['PutKeyPolicy UnsupportedOperation']],
  ['a key with a public key may always show it', ['GetPublicKey InvalidKeyUsage']],
  ['a rotation is over before its call is answered', ['RotateKeyOnDemand Conflict']],
  [
    'only symmetric encryption keys are in custom key stores, and those wrap no key pairs',
    ['DeriveSharedSecret', 'GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext', 'GenerateMac']
      .concat('Decapsulate', 'Encapsulate', 'GetPublicKey', 'Sign', 'Verify', 'VerifyMac')
      .map((action) => `${action} KeyUnavailable`),
  ],
  [
    'there are no VPC endpoint services',
    ['CreateCustomKeyStore', 'UpdateCustomKeyStore'].flatMap((action) =>
      ['UriEndpointInUse', 'VpcEndpointServiceInUse', 'VpcEndpointServiceInvalidConfiguration'].map(
        (error) => `${action} XksProxy${error}`,
      ),
    ),
  ],
]

const PAIRS = ACTION_NAMES.flatMap((action) => (DECLARED[action] ?? []).map((error) => ({ action, error })))
const neverNames = NEVER.flatMap(([, pairs]) => pairs)
const isNever = (action: string, error: string): boolean => neverNames.includes(`${action} ${error}`)
/** Provoked for all actions at once, by what is wrong with the database. */
const OF_DATABASE = ['KMSInternal', 'DependencyTimeout']
const provoked = PAIRS.filter(({ action, error }) => !isNever(action, error) && !OF_DATABASE.includes(error))

beforeAll(() => {
  reuseWrappingKeys()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('the table of exceptions', () => {
  it('has every action of the model', () => {
    expect([...ACTION_NAMES].sort()).toEqual([...ACTIONS].sort())
    expect([...ACTION_NAMES].sort()).toEqual(Object.keys(INPUTS).sort())
  })

  it('provokes each declared exception, or says why not, never both', () => {
    const missing = provoked.filter(({ action, error }) => !provocationOf(action, error))
    expect(missing).toEqual([])
    const names = PAIRS.map(({ action, error }) => `${action} ${error}`)
    expect(neverNames.filter((name) => !names.includes(name))).toEqual([])
    expect(SPECIFIC_NAMES.filter((name) => !names.includes(name) || neverNames.includes(name))).toEqual([])
  })

  it.each(ACTIONS)('has for %s what the AWS SDK declares', (action) => {
    const file = `@aws-sdk/client-kms/dist-types/commands/${action}Command.d.ts`
    const theirs = readFileSync(new URL(`../../node_modules/${file}`, import.meta.url), 'utf8')
    const names = [...theirs.matchAll(/@throws \{@link (\w+)Exception\}/g)].map(([, name]) => name)
    // The SDK's own base class ends each list.
    expect(names.sort()).toEqual([...(DECLARED[action] ?? []), 'KMSService'].sort())
  })
})

describe.each(ACTION_NAMES)('%s', (action) => {
  it('goes well with the input that the others are made from', async () => {
    const subject = await newSubject(memoryStore(), action)
    await callAction(subject, action, await INPUTS[action]!(subject))
    const records = (await subject.engine.audit.list()).map(({ record }) => record)
    const last = records.filter(({ eventName }) => eventName === action).at(-1)
    expect(last).toBeDefined()
    expect(last).not.toHaveProperty('errorCode')
  })

  it.each(provoked.filter((pair) => pair.action === action).map(({ error }) => error))(
    'ends with %sException, and the log says so',
    async (error) => {
      const subject = await newSubject(memoryStore(), action)
      const input = await provocationOf(action, error)!(subject)
      await refused(callAction(subject, action, input), `${error}Exception` as KmsExceptionName, /^[^]*$/)
      const last = (await subject.engine.audit.list()).at(-1)?.record
      expect(last).toMatchObject({ eventName: action, errorCode: `${error}Exception`, responseElements: null })
    },
  )
})

describe('a database', () => {
  const declaring = (error: string): readonly string[] =>
    PAIRS.flatMap((pair) => (pair.error === error ? [pair.action] : []))

  it.each(declaring('KMSInternal'))('that was changed ends %s with KMSInternalException', async (action) => {
    const subject = await newSubject(memoryStore(), action)
    const input = await INPUTS[action]!(subject)
    await subject.store.transaction('write', async (rows) => {
      const row = (await rows.get('meta', HEAD_ROW))!
      await rows.put('meta', { ...row, body: row.body.replace('"records":', '"records":1') })
    })
    await refused(callAction(subject, action, input), 'KMSInternalException', /is not authentic: restore the database$/)
  })

  it('that another process keeps to itself ends every other call with DependencyTimeoutException', async () => {
    const actions = declaring('DependencyTimeout')
    expect(actions.length).toBeGreaterThan(30)
    const subjects = await Promise.all(
      actions.map(async (action) => {
        const file = newFile()
        const subject = await newSubject(await sqliteStore({ file }), action)
        return { action, file, subject, input: await INPUTS[action]!(subject) }
      }),
    )
    const held = await Promise.all(subjects.map(({ file }) => hold(file)))
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
    const outcomes = subjects.map(({ action, subject, input }) =>
      callAction(subject, action, input).then(
        () => 'answered',
        (error: unknown) => (error instanceof KmsError ? error.name : error),
      ),
    )
    await vi.advanceTimersByTimeAsync(11_000)
    const names = await Promise.all(outcomes)
    vi.useRealTimers()
    expect(names.map((name, index) => [actions[index], name])).toEqual(
      actions.map((action) => [action, 'DependencyTimeoutException']),
    )
    for (const release of held) await release()
    for (const { subject } of subjects) await subject.engine.close()
  })
})

/** Another connection, in the middle of writing; answers how to end it. */
async function hold(file: string): Promise<() => Promise<void>> {
  const store = await sqliteStore({ file })
  let release: () => void = () => undefined
  let isOpen: () => void = () => undefined
  const open = new Promise<void>((resume) => (isOpen = resume))
  const transaction = store.transaction('write', async () => {
    isOpen()
    await new Promise<void>((resume) => (release = resume))
  })
  await open
  return async () => {
    release()
    await transaction
    await store.close()
  }
}
