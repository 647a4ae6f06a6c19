import { describe, expect, it } from 'vitest'
import type { ActionInput, CallOptions, Engine } from '../../kms/engine/index.ts'
import { ACCOUNT, newKey, refused } from './engine-setup.ts'
import { connected, EXTERNAL_STORE, HSM_STORE, newStores } from './key-store-setup.ts'
import { arnIn, HOME, WEST } from './multi-region-setup.ts'
import { newUser } from './users-setup.ts'

const Tags = [{ TagKey: 'team', TagValue: 'payroll' }]
const CREATE = { Effect: 'Allow', Action: ['kms:CreateKey', 'kms:PutKeyPolicy', 'kms:ReplicateKey'], Resource: '*' }

interface Way {
  readonly way: string
  readonly region: string
  /** Makes a key with these tags; answers its ARN. */
  readonly make: (engine: Engine, options: CallOptions, tags: typeof Tags | undefined) => Promise<string | undefined>
}

const creating = async (
  engine: Engine,
  input: ActionInput<'CreateKey'>,
  options: CallOptions,
): Promise<string | undefined> => (await engine.call('CreateKey', input, options)).KeyMetadata.Arn

const WAYS: readonly Way[] = [
  { way: 'CreateKey', region: HOME, make: (engine, options, tags) => creating(engine, { Tags: tags }, options) },
  {
    way: 'CreateKey of a pair',
    region: HOME,
    make: (engine, options, tags) =>
      creating(engine, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Tags: tags }, options),
  },
  {
    way: 'CreateKey in an external key store',
    region: HOME,
    make: async (engine, options, tags) => {
      const CustomKeyStoreId = await connected(engine, EXTERNAL_STORE)
      const input = { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: 'key-1', Tags: tags } as const
      return creating(engine, input, options)
    },
  },
  {
    way: 'CreateKey in a module',
    region: HOME,
    make: async (engine, options, tags) => {
      const CustomKeyStoreId = await connected(engine, HSM_STORE)
      return creating(engine, { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId, Tags: tags }, options)
    },
  },
  {
    way: 'ReplicateKey',
    region: WEST,
    make: async (engine, options, tags) => {
      const KeyId = await newKey(engine, { MultiRegion: true })
      const { ReplicaKeyMetadata } = await engine.call(
        'ReplicateKey',
        { KeyId, ReplicaRegion: WEST, Tags: tags },
        options,
      )
      return ReplicaKeyMetadata.Arn
    },
  },
]

describe.each(WAYS)('tags that a key is made with, by $way', ({ region, make }) => {
  async function callerWith(...statements: readonly object[]) {
    const { engine, hsm } = await newStores({ regions: [HOME, WEST] })
    const caller = await newUser(engine, 'alice')
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [CREATE, ...statements] })
    await engine.iam('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument })
    return { engine, hsm, options: { caller } }
  }
  const tagging = (Effect: string, Resource: string, Condition?: object): object => {
    return { Effect, Action: 'kms:TagResource', Resource, ...(Condition && { Condition }) }
  }
  const denied = (call: Promise<unknown>, how: string): Promise<void> => {
    const arn = arnIn(region, '(?:mrk-)?[0-9a-f-]{32,36}')
    return refused(
      call,
      'AccessDeniedException',
      new RegExp(`user/alice is not authorized to perform: kms:TagResource on resource: ${arn} ${how}`),
    )
  }

  it('need kms:TagResource by a policy of the caller, and nothing is left without it', async () => {
    const { engine, hsm, options } = await callerWith()
    await denied(make(engine, options, Tags), 'because no identity-based policy allows')
    expect((await engine.audit.list()).at(-1)?.record).toMatchObject({ errorCode: 'AccessDenied' })
    expect((await engine.call('ListKeys', {}, { region })).Keys).toEqual([])
    expect(hsm.keys.size).toBe(0)
  })

  it('are given to whom every key may be tagged by', async () => {
    const { engine, options } = await callerWith(tagging('Allow', arnIn('*', '*')))
    const KeyId = await make(engine, options, Tags)
    expect((await engine.call('ListResourceTags', { KeyId: KeyId! }, { region })).Tags).toEqual(Tags)
  })

  it('are not given by a policy for other keys, nor under a Deny', async () => {
    const others = await callerWith(tagging('Allow', arnIn(region, '00000000-0000-4000-8000-000000000000')))
    await denied(make(others.engine, others.options, Tags), 'because no identity-based policy allows')
    const forbidden = await callerWith(tagging('Allow', '*'), tagging('Deny', '*'))
    await denied(make(forbidden.engine, forbidden.options, Tags), 'with an explicit deny in an identity-based policy')
  })

  it('are seen by conditions', async () => {
    const condition = (team: string): object => ({
      StringEquals: { 'aws:RequestTag/team': team, 'aws:RequestedRegion': region },
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['team'] },
    })
    const { engine, options } = await callerWith(tagging('Allow', '*', condition('payroll')))
    expect(await make(engine, options, Tags)).toBeDefined()
    const wrong = await callerWith(tagging('Allow', '*', condition('sales')))
    await denied(make(wrong.engine, wrong.options, Tags), 'because no identity-based policy allows')
  })

  it('need nothing else of the root, nor keys without tags of anybody', async () => {
    const { engine, options } = await callerWith()
    expect(await make(engine, options, undefined)).toMatch(`:${ACCOUNT}:key/`)
    const { engine: another } = await callerWith()
    const KeyId = await make(another, {}, Tags)
    expect((await another.call('ListResourceTags', { KeyId: KeyId! }, { region })).Tags).toEqual(Tags)
  })
})
