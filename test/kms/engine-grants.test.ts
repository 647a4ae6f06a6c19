import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine, Principal } from '../../kms/engine/index.ts'
import { ABSENT, ARN_PREFIX, NOW, newKey, refused, rowIdOf, writeRecords } from './engine-setup.ts'
import { DAY, PLAINTEXT } from './one-key-setup.ts'
import { openTwoUsers, ROOT, userArn, type TwoUsers } from './users-setup.ts'

let kms: TwoUsers
let engine: Engine
let KeyId: string
let arn: string
let alice: Principal
let bob: Principal

beforeEach(async () => {
  kms = await openTwoUsers()
  ;({ engine, KeyId, arn, alice, bob } = kms)
})

describe('grants', () => {
  const give = (input: object = {}, caller?: Principal) =>
    engine.call(
      'CreateGrant',
      { KeyId, GranteePrincipal: userArn('alice'), Operations: ['Encrypt'], ...input },
      { caller },
    )

  it('allow their operations to their grantee, at once, until they are revoked', async () => {
    await kms.denied(kms.encryptAs(alice))
    const { GrantId, GrantToken } = await give()
    expect(GrantId).toMatch(/^[0-9a-f]{64}$/)
    await kms.encryptAs(alice)
    await engine.call('Encrypt', { KeyId, Plaintext: PLAINTEXT, GrantTokens: [GrantToken] }, { caller: alice })
    await refused(kms.encryptAs(bob), 'AccessDeniedException')
    await refused(engine.call('DescribeKey', { KeyId }, { caller: alice }), 'AccessDeniedException')
    await engine.call('RevokeGrant', { KeyId, GrantId })
    await refused(kms.encryptAs(alice), 'AccessDeniedException')
    await refused(engine.call('RevokeGrant', { KeyId, GrantId }), 'NotFoundException', `Grant ID ${GrantId} not found`)
  })

  it('hold their constraints', async () => {
    await give({ Constraints: { EncryptionContextEquals: { a: '1', b: '2' } } })
    await give({ Constraints: { EncryptionContextSubset: { c: '3' } } })
    for (const context of [{}, { a: '1' }, { a: '1', b: '2', d: '' }, { C: '3' }, { c: '4' }]) {
      await kms.denied(kms.encryptAs(alice, context))
    }
    await kms.encryptAs(alice, { b: '2', a: '1' })
    await kms.encryptAs(alice, { c: '3', x: 'y' })
  })

  it('have constraints of one pair to eight, of values up to 384 characters', async () => {
    const pairs = (count: number, value = 'v'): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${String(i)}`, value]))
    for (const type of ['EncryptionContextSubset', 'EncryptionContextEquals']) {
      for (const wrong of [pairs(0), pairs(9), { a: 'v', b: 'v'.repeat(385) }]) {
        await refused(give({ Constraints: { [type]: wrong } }), 'ValidationException', new RegExp(type))
      }
      await give({ Constraints: { [type]: pairs(8, 'v'.repeat(384)) } })
    }
    const both = { EncryptionContextSubset: pairs(1), EncryptionContextEquals: {} }
    await refused(give({ Constraints: both }), 'ValidationException', /EncryptionContextEquals needs/)
    await give({ Constraints: {} })
    expect((await engine.call('ListGrants', { KeyId })).Grants).toHaveLength(3)
  })

  it('do not win over a deny', async () => {
    await give()
    await kms.putPolicy({ Effect: 'Deny', Principal: { AWS: userArn('alice') }, Action: 'kms:Encrypt', Resource: '*' })
    await kms.denied(kms.encryptAs(alice), /explicit deny/)
  })

  it('are made once for one name and the same parameters, with a token of its own each time', async () => {
    const first = await give({ Name: 'n' })
    const second = await give({ Name: 'n' })
    expect(second.GrantId).toBe(first.GrantId)
    expect(second.GrantToken).not.toBe(first.GrantToken)
    expect((await give({ Name: 'n', Operations: ['Decrypt'] })).GrantId).not.toBe(first.GrantId)
    expect((await give()).GrantId).not.toBe((await give()).GrantId)
    expect((await engine.call('ListGrants', { KeyId })).Grants).toHaveLength(4)
  })

  it('are retired by whom they name, by token or by id, and by no other', async () => {
    const retiring = { RetiringPrincipal: userArn('bob') }
    const one = await give(retiring)
    const two = await give(retiring)
    const three = await give({ Operations: ['RetireGrant', 'Encrypt'] })
    await kms.denied(engine.call('RetireGrant', { GrantToken: one.GrantToken }, { caller: alice }))
    await kms.denied(engine.call('RetireGrant', { KeyId: arn, GrantId: three.GrantId }, { caller: bob }))
    await refused(
      engine.call('RetireGrant', { GrantToken: one.GrantToken, DryRun: true }, { caller: bob }),
      'DryRunOperationException',
    )
    await engine.call('RetireGrant', { GrantToken: one.GrantToken }, { caller: bob })
    await engine.call('RetireGrant', { KeyId: arn, GrantId: two.GrantId }, { caller: bob })
    await engine.call('RetireGrant', { GrantToken: three.GrantToken }, { caller: alice })
    expect((await engine.call('ListGrants', { KeyId })).Grants).toEqual([])
    await kms.denied(kms.encryptAs(alice))
    await refused(engine.call('RetireGrant', { GrantToken: one.GrantToken }), 'NotFoundException')
    await engine.call('RetireGrant', { KeyId: arn, GrantId: (await give()).GrantId })
  })

  it.each([
    [{}, 'ValidationException'],
    [{ GrantToken: 'x', GrantId: 'y' }, 'ValidationException'],
    [{ GrantToken: 'AAAA' }, 'InvalidGrantTokenException'],
    [{ KeyId: ABSENT, GrantId: 'x' }, 'InvalidArnException'],
  ] as const)('are not retired by %j', async (input, name) => {
    await refused(engine.call('RetireGrant', input), name)
  })

  it('have tokens that nobody can make or change', async () => {
    const { GrantToken } = await give()
    const bytes = Buffer.from(GrantToken, 'base64')
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes)
      changed[index]! ^= 1
      const GrantTokens = [changed.toString('base64')]
      await refused(engine.call('DescribeKey', { KeyId, GrantTokens }), 'InvalidGrantTokenException')
    }
    await engine.call('DescribeKey', { KeyId, GrantTokens: [GrantToken] })
  })

  it('are passed on in part only', async () => {
    const Constraints = { EncryptionContextSubset: { a: '1' } }
    await give({ Operations: ['CreateGrant', 'Encrypt', 'Decrypt'], Constraints })
    const pass = (input: object) => give({ GranteePrincipal: userArn('bob'), ...input }, alice)
    await refused(pass({ Operations: ['Encrypt'] }), 'AccessDeniedException')
    await refused(pass({ Operations: ['GenerateDataKey'], Constraints }), 'AccessDeniedException')
    await refused(
      pass({ Operations: ['Encrypt'], Constraints: { EncryptionContextSubset: { b: '1' } } }),
      'AccessDeniedException',
    )
    expect((await engine.call('ListGrants', { KeyId })).Grants).toHaveLength(1)
    await pass({ Operations: ['Encrypt'], Constraints: { EncryptionContextEquals: { a: '1', b: '2' } } })
    await kms.encryptAs(bob, { a: '1', b: '2' })
    await refused(kms.encryptAs(bob, { a: '1' }), 'AccessDeniedException')
  })

  it('are listed by key, id, grantee and who may retire them, in pages', async () => {
    const other = await newKey(engine)
    const made = [
      await give({
        Name: 'one',
        RetiringPrincipal: userArn('bob'),
        Constraints: { EncryptionContextEquals: { a: 'b' } },
      }),
      await give({ GranteePrincipal: userArn('bob'), RetiringPrincipal: userArn('alice') }),
      await give({ KeyId: other, RetiringPrincipal: userArn('bob') }),
    ]
    const [one, two] = made.map(({ GrantId }) => GrantId)
    const list = async (input: object) => (await engine.call('ListGrants', { KeyId, ...input })).Grants
    expect(await list({ GrantId: one })).toEqual([
      {
        KeyId: arn,
        GrantId: one,
        Name: 'one',
        CreationDate: new Date(NOW),
        GranteePrincipal: userArn('alice'),
        RetiringPrincipal: userArn('bob'),
        IssuingAccount: ROOT,
        Operations: ['Encrypt'],
        Constraints: { EncryptionContextEquals: { a: 'b' } },
      },
    ])
    expect((await list({ GranteePrincipal: userArn('bob') })).map(({ GrantId }) => GrantId)).toEqual([two])
    const first = await engine.call('ListGrants', { KeyId, Limit: 1 })
    const second = await engine.call('ListGrants', { KeyId, Limit: 1, Marker: first.NextMarker })
    expect([...first.Grants, ...second.Grants].map(({ GrantId }) => GrantId)).toEqual([one, two].sort())
    expect(second.Truncated).toBe(false)
    const retirable = await engine.call('ListRetirableGrants', { RetiringPrincipal: userArn('bob') })
    expect(retirable.Grants.map((grant) => grant.KeyId).sort()).toEqual([arn, `${ARN_PREFIX}key/${other}`].sort())
    await refused(list({ Limit: 101 }), 'ValidationException')
  })

  it.each([
    [{ Operations: [] }, 'ValidationException'],
    [{ Operations: ['Sign'] }, 'ValidationException'],
    [{ Operations: ['NoOperation'] }, 'ValidationException'],
    [{ GranteePrincipal: 'alice' }, 'InvalidArnException'],
    [{ RetiringPrincipal: 'bob' }, 'InvalidArnException'],
    [{ DryRun: true }, 'DryRunOperationException'],
    [{ GrantTokens: ['no token'] }, 'InvalidGrantTokenException'],
    [{ KeyId: 'alias/a' }, 'NotFoundException'],
  ] as const)('are not made with %j', async (input, name) => {
    await refused(give(input), name)
    expect((await engine.call('ListGrants', { KeyId })).Grants).toEqual([])
  })

  it.each([
    ['Disabled', 'DisabledException'],
    ['PendingDeletion', 'KMSInvalidStateException'],
    ['PendingImport', 'KMSInvalidStateException'],
    ['Creating', 'KMSInvalidStateException'],
    ['Unavailable', undefined],
    ['Updating', undefined],
  ] as const)('on a key in state %s', async (state, name) => {
    await writeRecords(kms.store, async (records) => {
      const key = (await records.get('key', rowIdOf(KeyId)))!
      await records.put('key', rowIdOf(KeyId), { ...key.record, state }, key)
    })
    if (name === undefined) await give()
    else await refused(give(), name)
  })

  it('are read no further than to the one that is looked for', async () => {
    const made = await Promise.all(Array.from({ length: 300 }, async () => give()))
    await give({ GranteePrincipal: userArn('bob') })
    const transaction = kms.store.transaction.bind(kms.store)
    let count = 0
    kms.store.transaction = (mode, work) =>
      transaction(mode, (rows) =>
        work({
          get: (table, id) => rows.get(table, id),
          put: (table, row) => rows.put(table, row),
          delete: (table, id) => rows.delete(table, id),
          savepoint: (inner) => rows.savepoint(inner),
          list: async (table, range) => {
            const found = await rows.list(table, range)
            if (table === 'grant') count += found.length
            return found
          },
        }),
      )
    const rowsRead = async (work: () => Promise<unknown>): Promise<number> => {
      count = 0
      await work()
      return count
    }
    expect(await rowsRead(() => kms.encryptAs(alice))).toBeLessThanOrEqual(50)
    const page = { KeyId, GranteePrincipal: userArn('alice'), Limit: 10 }
    expect(await rowsRead(() => engine.call('ListGrants', page))).toBe(11)
    const { GrantId } = await give({ Name: 'n' })
    expect(await rowsRead(() => engine.call('DescribeKey', { KeyId }, { caller: alice }).catch(() => 0))).toBe(301)

    const ids: string[] = []
    let Marker: string | undefined
    do {
      const { Grants, NextMarker } = await engine.call('ListGrants', { ...page, Limit: 70, Marker })
      ids.push(...Grants.map((grant) => grant.GrantId))
      Marker = NextMarker
      // A page goes on where it ended, whether or not its last grant is still there.
      if (Marker !== undefined) await engine.call('RevokeGrant', { KeyId, GrantId: Grants.at(-1)?.GrantId ?? '' })
    } while (Marker !== undefined)
    expect(ids).toEqual([...made.map((grant) => grant.GrantId), GrantId].sort())
  })

  it('of all their kinds are looked at, and all that allow to pass on', async () => {
    await Promise.all(Array.from({ length: 60 }, async () => give({ Operations: ['Decrypt'] })))
    await give({ GranteePrincipal: ROOT })
    await kms.denied(kms.encryptAs(alice))
    await give({ Constraints: { EncryptionContextSubset: { a: '1' } } })
    await kms.denied(kms.encryptAs(alice))
    await kms.encryptAs(alice, { a: '1' })
    const Operations = ['CreateGrant', 'Decrypt']
    const Constraints = { EncryptionContextSubset: { b: '1' } }
    await Promise.all(Array.from({ length: 60 }, async () => give({ Operations, Constraints })))
    const pass = () => give({ GranteePrincipal: userArn('bob'), Operations: ['Decrypt'] }, alice)
    await refused(pass(), 'AccessDeniedException')
    await give({ Operations })
    await pass()
  })

  it('end with their key', async () => {
    await give({ RetiringPrincipal: userArn('bob') })
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    kms.now += 7 * DAY
    expect((await engine.call('ListRetirableGrants', { RetiringPrincipal: userArn('bob') })).Grants).toEqual([])
    const left = await kms.store.transaction('read', async (rows) => {
      const tables = ['grant', 'retiring', 'policy'] as const
      return Promise.all(tables.map(async (table) => rows.list(table, { prefix: '', limit: 9 })))
    })
    expect(left.flat()).toEqual([])
  })

  it('are refused when their row was changed, or put back after it was revoked', async () => {
    const { GrantId } = await give()
    const id = `${rowIdOf(KeyId)}/${GrantId}`
    const row = (await kms.store.transaction('read', (rows) => rows.get('grant', id)))!
    const put = (body: string): Promise<void> =>
      kms.store.transaction('write', (rows) => rows.put('grant', { ...row, body }))
    await put(row.body.replace('"Encrypt"', '"Decrypt"'))
    await refused(kms.encryptAs(alice), 'KMSInternalException', /is not authentic/)
    await put(row.body)
    await engine.call('RevokeGrant', { KeyId, GrantId })
    await give({ GranteePrincipal: userArn('bob') })
    await put(row.body)
    await refused(kms.encryptAs(alice), 'KMSInternalException', /is not authentic/)
  })
})
