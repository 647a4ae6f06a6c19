import { beforeAll, describe, expect, it } from 'vitest'
import type { ActionName, Engine } from '../../kms/engine/index.ts'
import { ABSENT, memoryEngine, refused } from './engine-setup.ts'

let engine: Engine

beforeAll(async () => {
  engine = await memoryEngine()
})

/** Calls with what the types forbid, as a server does with what it received. */
async function call(action: string, input: unknown): Promise<unknown> {
  return engine.call(action as ActionName, input as never)
}

const KeyId = ABSENT
const Plaintext = Uint8Array.of(1)

describe('a broken constraint', () => {
  it.each<[string, object, string]>([
    ['DescribeKey', {}, "Value null at 'keyId' failed to satisfy constraint: Member must not be null"],
    [
      'DescribeKey',
      { KeyId: undefined },
      "Value null at 'keyId' failed to satisfy constraint: Member must not be null",
    ],
    ['DescribeKey', { KeyId: null }, "Value null at 'keyId' failed to satisfy constraint: Member must not be null"],
    ['Encrypt', { KeyId }, "Value null at 'plaintext' failed to satisfy constraint: Member must not be null"],
    [
      'DescribeKey',
      { KeyId: '' },
      "Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'Encrypt',
      { KeyId: 'x'.repeat(2049), Plaintext },
      `Value '${'x'.repeat(256)}…' at 'keyId' failed to satisfy constraint: Member must have length less than or equal to 2048`,
    ],
    [
      'CreateKey',
      { Description: 'x'.repeat(8193) },
      `Value '${'x'.repeat(256)}…' at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192`,
    ],
    [
      'CreateKey',
      { Tags: [{ TagKey: 'x'.repeat(129), TagValue: '' }] },
      `Value '${'x'.repeat(129)}' at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 128`,
    ],
    [
      'CreateKey',
      { Tags: [{ TagKey: 'a', TagValue: '' }, { TagKey: 'b' }] },
      "Value null at 'tags.2.member.tagValue' failed to satisfy constraint: Member must not be null",
    ],
    [
      'CreateKey',
      { Tags: [null] },
      "Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null",
    ],
    [
      'GenerateDataKey',
      { KeyId, KeySpec: 'AES_192' },
      "Value 'AES_192' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]",
    ],
    [
      'Encrypt',
      { KeyId, Plaintext, EncryptionAlgorithm: 'none' },
      "Value 'none' at 'encryptionAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [SYMMETRIC_DEFAULT, RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE]",
    ],
    [
      'GenerateDataKey',
      { KeyId, NumberOfBytes: 0 },
      "Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    [
      'GenerateDataKey',
      { KeyId, NumberOfBytes: 1025 },
      "Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024",
    ],
    [
      'ListKeys',
      { Limit: 1001 },
      "Value '1001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000",
    ],
    [
      'ListKeys',
      { Limit: 0 },
      "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    [
      'ListKeys',
      { Marker: '' },
      "Value '' at 'marker' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'ListKeys',
      { Marker: 'a\n' },
      "Value 'a\n' at 'marker' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\u0020-\\u00FF]*",
    ],
    [
      'Encrypt',
      { KeyId, Plaintext: new Uint8Array(0) },
      "Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'Encrypt',
      { KeyId, Plaintext: new Uint8Array(4097) },
      "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
    ],
    [
      'Decrypt',
      { CiphertextBlob: new Uint8Array(6145) },
      "Value at 'ciphertextBlob' failed to satisfy constraint: Member must have length less than or equal to 6144",
    ],
    [
      'DescribeKey',
      { KeyId, GrantTokens: Array.from({ length: 11 }, () => 'token') },
      "Value at 'grantTokens' failed to satisfy constraint: Member must have length less than or equal to 10",
    ],
    [
      'DescribeKey',
      { KeyId, GrantTokens: [''] },
      "Value '' at 'grantTokens.1.member' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'Decrypt',
      { CiphertextBlob: Plaintext, Recipient: { AttestationDocument: new Uint8Array(0) } },
      "Value at 'recipient.attestationDocument' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'Encrypt',
      { KeyId, Plaintext, EncryptionContext: { a: null } },
      "Value null at 'encryptionContext.a.member' failed to satisfy constraint: Member must not be null",
    ],
    [
      'CreateGrant',
      {
        KeyId,
        GranteePrincipal: 'x',
        Operations: [],
        Constraints: { EncryptionContextEquals: { ['x'.repeat(300)]: null } },
      },
      `Value null at 'constraints.encryptionContextEquals.${'x'.repeat(256)}….member' failed to satisfy constraint: Member must not be null`,
    ],
    [
      'CreateGrant',
      { KeyId, GranteePrincipal: 'x', Operations: Array.from({ length: 20 }, () => '') },
      "Value at 'operations' failed to satisfy constraint: Member must have length less than or equal to 19",
    ],
    [
      'UntagResource',
      { KeyId, TagKeys: Array.from({ length: 51 }, () => '') },
      "Value at 'tagKeys' failed to satisfy constraint: Member must have length less than or equal to 50",
    ],
    [
      'Decrypt',
      { CiphertextBlob: Plaintext, DryRunModifiers: ['', ''] },
      "Value at 'dryRunModifiers' failed to satisfy constraint: Member must have length less than or equal to 1",
    ],
  ])('of %s is a ValidationException', async (action, input, fault) => {
    await refused(call(action, input), 'ValidationException', `1 validation error detected: ${fault}`)
  })

  it('is told with all others', async () => {
    const input = { KeyId: '', Plaintext: new Uint8Array(4097), EncryptionAlgorithm: 'none' }
    await refused(
      call('Encrypt', input),
      'ValidationException',
      "3 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: " +
        "Member must have length greater than or equal to 1; Value at 'plaintext' failed to satisfy constraint: " +
        "Member must have length less than or equal to 4096; Value 'none' at 'encryptionAlgorithm' failed to satisfy " +
        'constraint: Member must satisfy enum value set: ' +
        '[SYMMETRIC_DEFAULT, RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE]',
    )
  })
})

describe('what is said of many broken constraints', () => {
  const MANY = 100_000

  it.each<[string, string, object]>([
    [
      'members of a list',
      'CreateGrant',
      { KeyId, GranteePrincipal: 'x', Operations: Array.from({ length: 19 }, () => '') },
    ],
    ['structures of a list', 'TagResource', { KeyId, Tags: Array.from({ length: 50 }, () => ({})) }],
    [
      'values of a map',
      'Encrypt',
      {
        KeyId,
        Plaintext,
        EncryptionContext: Object.fromEntries(Array.from({ length: MANY }, (_, name) => [name, null])),
      },
    ],
  ])('is ten of them: %s', async (_, action, input) => {
    await refused(call(action, input), 'ValidationException', /^10 validation errors detected: (?:[^;]+; ){9}[^;]+$/)
  })

  it.each<[string, string, object]>([
    [
      'members of a list',
      'CreateGrant',
      { KeyId, GranteePrincipal: 'x', Operations: Array.from({ length: MANY }, () => '') },
    ],
    ['a name', 'DescribeKey', { KeyId, ['x'.repeat(MANY)]: 1 }],
    ['a value', 'DescribeKey', { KeyId: 'x'.repeat(MANY) }],
    ['names of a map', 'Encrypt', { KeyId, Plaintext, EncryptionContext: { ['x'.repeat(MANY)]: null } }],
    [
      'long values',
      'CreateKey',
      { Tags: Array.from({ length: 50 }, () => ({ TagKey: 'x'.repeat(MANY), TagValue: 'x'.repeat(MANY) })) },
    ],
  ])('is short, and shorter in the log: %s', async (_, action, input) => {
    const error = await call(action, input).catch((reason: unknown) => reason as Error)
    expect((error as Error).message.length).toBeLessThan(6000)
    const { record } = (await engine.audit.list()).at(-1)!
    expect(record.errorMessage!.length).toBeLessThanOrEqual(1025)
    expect(record.requestParameters).toBeNull()
  })

  it('is that there are too many tags, whatever they are', async () => {
    for (const action of ['CreateKey', 'TagResource']) {
      const input = { ...(action === 'TagResource' && { KeyId }), Tags: Array.from({ length: 51 }, () => null) }
      await refused(call(action, input), 'TagException', 'Too many tags')
    }
  })
})

describe('a value of the wrong type is a TypeError', () => {
  it.each<[string, object, string]>([
    ['DescribeKey', { KeyId: 1 }, 'keyId must be a string'],
    ['ListKeys', { Limit: '1' }, 'limit must be a number'],
    ['ListKeys', { Limit: 1.5 }, 'limit must be an integer'],
    ['ListKeys', { Limit: Number.NaN }, 'limit must be an integer'],
    ['Encrypt', { KeyId, Plaintext: 'text' }, 'plaintext must be a Uint8Array'],
    ['Encrypt', { KeyId, Plaintext: new ArrayBuffer(1) }, 'plaintext must be a Uint8Array'],
    ['Encrypt', { KeyId, Plaintext: [1] }, 'plaintext must be a Uint8Array'],
    ['Encrypt', { KeyId, Plaintext: new Uint16Array(1) }, 'plaintext must be a Uint8Array'],
    [
      'Encrypt',
      { KeyId, Plaintext: new Uint8Array(new SharedArrayBuffer(1)) },
      'plaintext must not be in shared memory',
    ],
    ['Encrypt', { KeyId, Plaintext, DryRun: 'true' }, 'dryRun must be a boolean'],
    ['Encrypt', { KeyId, Plaintext, EncryptionContext: 'a=1' }, 'encryptionContext must be an object'],
    ['Encrypt', { KeyId, Plaintext, EncryptionContext: ['a'] }, 'encryptionContext must be an object'],
    ['Encrypt', { KeyId, Plaintext, EncryptionContext: { a: 1 } }, 'each value of encryptionContext must be a string'],
    ['DescribeKey', { KeyId, GrantTokens: 'token' }, 'grantTokens must be an array'],
    ['DescribeKey', { KeyId, GrantTokens: [1] }, 'grantTokens.1.member must be a string'],
    ['CreateKey', { Tags: [['a', 'b']] }, 'tags.1.member must be an object'],
    ['Decrypt', { CiphertextBlob: Plaintext, Recipient: 'x' }, 'recipient must be an object'],
  ])('%s %o', async (action, input, message) => {
    await expect(call(action, input)).rejects.toThrow(new TypeError(message))
  })

  it.each([undefined, null, 1, 'KeyId', []])('an input that is %j', async (input) => {
    await expect(call('ListKeys', input)).rejects.toThrow(new TypeError('the input must be an object'))
  })
})

describe('members', () => {
  it('that are not known are refused, whatever they hold', async () => {
    for (const name of ['KeyID', 'keyId', '__proto__', 'constructor']) {
      const input = JSON.parse(`{ "KeyId": "${KeyId}", "${name}": "x" }`) as object
      const message = `${name} is not a parameter that this KMS knows`
      await refused(call('DescribeKey', input), 'UnsupportedOperationException', message)
    }
  })

  it('that are null or undefined are absent', async () => {
    for (const nothing of [null, undefined]) {
      expect(await call('ListKeys', { Limit: nothing, Marker: nothing })).toEqual({ Keys: [], Truncated: false })
      await refused(call('Encrypt', { KeyId, Plaintext, DryRun: nothing, GrantTokens: nothing }), 'NotFoundException')
      const decrypting = call('Decrypt', { CiphertextBlob: Plaintext, KeyId: nothing, EncryptionContext: nothing })
      await refused(decrypting, 'InvalidCiphertextException', '')
      const creating = call('CreateKey', { KeySpec: nothing, CustomerMasterKeySpec: nothing, Tags: nothing })
      await expect(creating.then(() => call('CreateKey', { Origin: nothing }))).resolves.toBeDefined()
      engine = await memoryEngine()
    }
  })

  it('that are inherited do not count', async () => {
    await refused(call('DescribeKey', Object.create({ KeyId })), 'ValidationException', /'keyId'/)
  })
})

describe('an action', () => {
  it.each(['describeKey', '', 'toString', '__proto__'])('that is not here: %j', async (action) => {
    await refused(call(action, {}), 'UnknownOperationException', `This KMS has no action ${action}.`)
  })
})
