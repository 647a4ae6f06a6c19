import { beforeAll, describe, expect, it } from 'vitest'
import type { ActionInput, Engine } from '../../kms/engine/index.ts'
import type { KeyState } from '../../kms/engine/key-state.ts'
import type { Store } from '../../kms/store/memory.ts'
import { ARN_PREFIX, STORES, newKey, openEngine, refused, rowIdOf, writeRecords } from './engine-setup.ts'

const WRAPPING = ['Encrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext'] as const
const CRYPTOGRAPHIC = ['Decrypt', ...WRAPPING] as const
const NO_MESSAGE = ''
const plaintext = Uint8Array.from({ length: 100 }, (_, index) => index)

describe.each(STORES)('cryptography on $store', ({ newStore }) => {
  let store: Store
  let engine: Engine
  let keyId: string
  let arn: string

  beforeAll(async () => {
    store = await newStore()()
    engine = await openEngine(store)
    keyId = await newKey(engine)
    arn = `${ARN_PREFIX}key/${keyId}`
    return () => engine.close()
  })

  /** A good input of each action; the blob is of this key and without context. */
  async function inputsOf(KeyId = keyId): Promise<{ [Name in (typeof CRYPTOGRAPHIC)[number]]: ActionInput<Name> }> {
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext: plaintext })
    return {
      Decrypt: { CiphertextBlob },
      Encrypt: { KeyId, Plaintext: plaintext },
      GenerateDataKey: { KeyId, KeySpec: 'AES_128' },
      GenerateDataKeyWithoutPlaintext: { KeyId, NumberOfBytes: 1 },
    }
  }

  async function encrypt(EncryptionContext?: Readonly<Record<string, string>>): Promise<Uint8Array> {
    return (await engine.call('Encrypt', { KeyId: keyId, Plaintext: plaintext, EncryptionContext })).CiphertextBlob
  }

  describe('Encrypt and Decrypt', () => {
    it('answer what AWS answers', async () => {
      const encrypted = await engine.call('Encrypt', { KeyId: keyId, Plaintext: plaintext })
      expect(encrypted).toEqual({
        CiphertextBlob: expect.any(Uint8Array) as unknown,
        KeyId: arn,
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      })
      const { CurrentKeyMaterialId } = (await engine.call('DescribeKey', { KeyId: keyId })).KeyMetadata
      expect(await engine.call('Decrypt', { CiphertextBlob: encrypted.CiphertextBlob })).toEqual({
        Plaintext: plaintext,
        KeyId: arn,
        KeyMaterialId: CurrentKeyMaterialId,
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      })
    })

    it.each([1, 2, 31, 32, 4095, 4096])(
      'take %i bytes, also as a Buffer, and give back a Uint8Array',
      async (length) => {
        for (const Plaintext of [new Uint8Array(length).fill(7), Buffer.alloc(length, 8)]) {
          const { CiphertextBlob } = await engine.call('Encrypt', { KeyId: keyId, Plaintext })
          const opened = await engine.call('Decrypt', { CiphertextBlob: Buffer.from(CiphertextBlob) })
          expect(opened.Plaintext).toEqual(Uint8Array.from(Plaintext))
          expect([CiphertextBlob.constructor, opened.Plaintext.constructor]).toEqual([Uint8Array, Uint8Array])
        }
      },
    )

    it('never make the same ciphertext twice', async () => {
      const blobs = await Promise.all(Array.from({ length: 20 }, () => encrypt()))
      expect(new Set(blobs.map((blob) => Buffer.from(blob).toString('hex'))).size).toBe(20)
    })

    it('are accepted under the only algorithm, and no other', async () => {
      const { Decrypt, Encrypt } = await inputsOf()
      await engine.call('Encrypt', { ...Encrypt, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
      await engine.call('Decrypt', { ...Decrypt, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
      const wrong = { EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' }
      const message = 'Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec SYMMETRIC_DEFAULT.'
      await refused(engine.call('Encrypt', { ...Encrypt, ...wrong }), 'InvalidKeyUsageException', message)
      await refused(engine.call('Decrypt', { ...Decrypt, ...wrong, KeyId: keyId }), 'InvalidKeyUsageException', message)
      await refused(engine.call('Decrypt', { ...Decrypt, ...wrong }), 'ValidationException', /^A key ID is required/)
    })

    it('use the input as it was when they were called', async () => {
      const EncryptionContext: Record<string, string> = { a: '1' }
      const input = { KeyId: keyId, Plaintext: plaintext.slice(), EncryptionContext }
      const encrypting = engine.call('Encrypt', input)
      EncryptionContext.b = '2'
      input.Plaintext.fill(0)
      const { CiphertextBlob } = await encrypting
      const decrypting = engine.call('Decrypt', { CiphertextBlob, EncryptionContext: { a: '1' } })
      CiphertextBlob.fill(0)
      expect((await decrypting).Plaintext).toEqual(plaintext)
    })
  })

  describe('Decrypt', () => {
    it('refuses a ciphertext of another key than the one that is named', async () => {
      const KeyId = await newKey(engine)
      const { CiphertextBlob } = (await inputsOf()).Decrypt
      await refused(
        engine.call('Decrypt', { CiphertextBlob, KeyId }),
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      )
      expect((await engine.call('Decrypt', { CiphertextBlob, KeyId: keyId })).Plaintext).toEqual(plaintext)
    })

    it('refuses a ciphertext of a key that is not here', async () => {
      const other = await openEngine(await newStore()())
      const { CiphertextBlob } = (await inputsOf()).Decrypt
      const message = `Key '${arn}' does not exist`
      await refused(other.call('Decrypt', { CiphertextBlob }), 'NotFoundException', message)
      await other.close()
    })

    it('refuses bytes that are no ciphertext, without a message', async () => {
      for (const length of [1, 2, 100, 151, 6144]) {
        const CiphertextBlob = new Uint8Array(length).fill(1)
        await refused(engine.call('Decrypt', { CiphertextBlob }), 'InvalidCiphertextException', NO_MESSAGE)
      }
    })

    it('needs a ciphertext', async () => {
      await refused(
        engine.call('Decrypt', { KeyId: keyId }),
        'ValidationException',
        "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
      )
    })
  })

  describe('GenerateDataKey', () => {
    it.each([
      [{ KeySpec: 'AES_128' }, 16],
      [{ KeySpec: 'AES_256' }, 32],
      [{ NumberOfBytes: 1 }, 1],
      [{ NumberOfBytes: 64 }, 64],
      [{ NumberOfBytes: 1024 }, 1024],
    ])('makes a key of %j', async (size, length) => {
      const EncryptionContext = { purpose: 'test' }
      const made = await engine.call('GenerateDataKey', { KeyId: keyId, ...size, EncryptionContext })
      const { CurrentKeyMaterialId } = (await engine.call('DescribeKey', { KeyId: keyId })).KeyMetadata
      expect(made).toEqual({
        CiphertextBlob: expect.any(Uint8Array) as unknown,
        KeyId: arn,
        KeyMaterialId: CurrentKeyMaterialId,
        Plaintext: expect.any(Uint8Array) as unknown,
      })
      expect(made.Plaintext).toHaveLength(length)
      const opened = await engine.call('Decrypt', { CiphertextBlob: made.CiphertextBlob, EncryptionContext })
      expect(opened.Plaintext).toEqual(made.Plaintext)
      const withoutPlaintext = await engine.call('GenerateDataKeyWithoutPlaintext', {
        KeyId: keyId,
        ...size,
        EncryptionContext,
      })
      expect(Object.keys(withoutPlaintext).sort()).toEqual(['CiphertextBlob', 'KeyId', 'KeyMaterialId'])
      const { CiphertextBlob } = withoutPlaintext
      const other = await engine.call('Decrypt', { CiphertextBlob, EncryptionContext })
      expect(other.Plaintext).toHaveLength(length)
      expect(CiphertextBlob).not.toEqual(made.CiphertextBlob)
    })

    it('makes another key each time', async () => {
      const make = (): Promise<{ readonly Plaintext: Uint8Array }> => {
        return engine.call('GenerateDataKey', { KeyId: keyId, KeySpec: 'AES_256' })
      }
      expect((await make()).Plaintext).not.toEqual((await make()).Plaintext)
    })

    it.each([{}, { KeySpec: 'AES_128', NumberOfBytes: 16 }])('refuses the size %j', async (size) => {
      const message = 'Please specify either number of bytes or key spec.'
      for (const action of ['GenerateDataKey', 'GenerateDataKeyWithoutPlaintext'] as const) {
        await refused(engine.call(action, { KeyId: keyId, ...size }), 'ValidationException', message)
      }
    })
  })

  describe('the encryption context', () => {
    it('is the same in any order', async () => {
      const CiphertextBlob = await encrypt({ a: '1', b: '2', '\uffff': '3', '\u{10000}': '4', __proto__x: '5' })
      const EncryptionContext = { __proto__x: '5', '\u{10000}': '4', b: '2', '\uffff': '3', a: '1' }
      expect((await engine.call('Decrypt', { CiphertextBlob, EncryptionContext })).Plaintext).toEqual(plaintext)
    })

    it('is the same when it is absent, null or empty', async () => {
      const contexts = [undefined, {}, Object.create(null) as Record<string, string>]
      for (const before of contexts) {
        const CiphertextBlob = await encrypt(before)
        for (const EncryptionContext of contexts) {
          expect((await engine.call('Decrypt', { CiphertextBlob, EncryptionContext })).Plaintext).toEqual(plaintext)
        }
      }
    })

    it('counts the own pairs of an object, whatever their names', async () => {
      const context = JSON.parse('{"__proto__":"1","constructor":"2"}') as Record<string, string>
      const CiphertextBlob = await encrypt(context)
      await refused(engine.call('Decrypt', { CiphertextBlob }), 'InvalidCiphertextException', NO_MESSAGE)
      const opened = await engine.call('Decrypt', { CiphertextBlob, EncryptionContext: context })
      expect(opened.Plaintext).toEqual(plaintext)
    })

    it.each([
      ['absent', undefined],
      ['empty', {}],
      ['a pair less', { a: '1' }],
      ['a pair more', { a: '1', b: '2', c: '3' }],
      ['another value', { a: '1', b: '3' }],
      ['another key', { a: '1', c: '2' }],
      ['a key in another case', { a: '1', B: '2' }],
      ['values exchanged', { a: '2', b: '1' }],
      ['a blank behind', { a: '1', b: '2 ' }],
      ['two pairs in one', { a: '1b2' }],
    ])('must not be %s', async (_, EncryptionContext) => {
      const CiphertextBlob = await encrypt({ a: '1', b: '2' })
      for (const KeyId of [undefined, keyId]) {
        const call = engine.call('Decrypt', { CiphertextBlob, EncryptionContext, KeyId })
        await refused(call, 'InvalidCiphertextException', NO_MESSAGE)
      }
    })

    it('must not be there when there was none', async () => {
      const CiphertextBlob = await encrypt()
      const call = engine.call('Decrypt', { CiphertextBlob, EncryptionContext: { a: '' } })
      await refused(call, 'InvalidCiphertextException', NO_MESSAGE)
    })

    it.each<[string, Record<string, string>]>([
      ['a lone surrogate in a value', { a: '\ud800' }],
      ['a lone surrogate in a key', { '\udc00x': '1' }],
      ['65,536 bytes', { a: 'x'.repeat(65_536 - 7) }],
      ['65,536 bytes of UTF-8', { a: 'ü'.repeat((65_536 - 6) / 2) }],
    ])('with %s is not valid', async (_, EncryptionContext) => {
      const inputs = await inputsOf()
      for (const action of CRYPTOGRAPHIC) {
        const call = engine.call(action, { ...inputs[action], EncryptionContext })
        await refused(call, 'ValidationException', /^The encryption context is not valid: /)
      }
    })

    it('may be 65,535 bytes long', async () => {
      const EncryptionContext = { a: 'x'.repeat(65_535 - 7) }
      const CiphertextBlob = await encrypt(EncryptionContext)
      expect((await engine.call('Decrypt', { CiphertextBlob, EncryptionContext })).Plaintext).toEqual(plaintext)
    })

    it.each([[{ a: 1 }], [['a']], ['a']])('that is %j is a TypeError', async (context) => {
      const EncryptionContext = context as unknown as Record<string, string>
      const { Encrypt } = await inputsOf()
      await expect(engine.call('Encrypt', { ...Encrypt, EncryptionContext })).rejects.toThrow(TypeError)
    })
  })

  describe('what all of them do', () => {
    it('end a dry run that would have succeeded, and fail like a real one otherwise', async () => {
      const inputs = await inputsOf()
      const message = 'The request would have succeeded, but the DryRun option is set.'
      for (const action of CRYPTOGRAPHIC) {
        const input = { ...inputs[action], DryRun: true }
        await refused(engine.call(action, input), 'DryRunOperationException', message)
        await engine.call(action, { ...inputs[action], DryRun: false })
        const absent = { ...input, KeyId: 'alias/none' }
        await refused(engine.call(action, absent), 'NotFoundException')
      }
      const wrong = { ...inputs.Decrypt, EncryptionContext: { a: '1' }, DryRun: true }
      await refused(engine.call('Decrypt', wrong), 'InvalidCiphertextException', NO_MESSAGE)
    })

    it('refuse grant tokens, since there are no grants', async () => {
      const inputs = await inputsOf()
      for (const action of [...CRYPTOGRAPHIC, 'DescribeKey'] as const) {
        const input = action === 'DescribeKey' ? { KeyId: keyId } : inputs[action]
        const call = engine.call(action, { ...input, GrantTokens: ['token'] })
        await refused(call, 'InvalidGrantTokenException', 'The grant token is not one of this KMS.')
        await engine.call(action, { ...input, GrantTokens: [] })
      }
    })

    it('refuse recipients', async () => {
      const { Decrypt, GenerateDataKey } = await inputsOf()
      const Recipient = { AttestationDocument: Uint8Array.of(1) }
      const name = 'UnsupportedOperationException'
      await refused(engine.call('Decrypt', { ...Decrypt, Recipient }), name, /^Recipient is not supported/)
      await refused(engine.call('GenerateDataKey', { ...GenerateDataKey, Recipient }), name, /^Recipient is not/)
      await refused(engine.call('GenerateRandom', { NumberOfBytes: 1, Recipient }), name, /^Recipient is not/)
    })

    it.each<[KeyState, string, 'DisabledException' | 'KMSInvalidStateException' | undefined]>([
      ['Enabled', '', undefined],
      ['Updating', '', undefined],
      ['Disabled', 'disabled', 'DisabledException'],
      ['PendingDeletion', 'pending deletion', 'KMSInvalidStateException'],
      ['PendingReplicaDeletion', 'pending deletion', 'KMSInvalidStateException'],
      ['PendingImport', 'pending import', 'KMSInvalidStateException'],
      ['Unavailable', 'unavailable', 'KMSInvalidStateException'],
      ['Creating', 'creating', 'KMSInvalidStateException'],
    ])('ask for the state of the key: %s', async (state, words, exception) => {
      const KeyId = await newKey(engine)
      const inputs = await inputsOf(KeyId)
      await writeRecords(store, async (records) => {
        const key = await records.get('key', rowIdOf(KeyId))
        if (key) await records.put('key', key.row.id, { ...key.record, state }, key)
      })
      const { KeyState, Enabled } = (await engine.call('DescribeKey', { KeyId })).KeyMetadata
      expect({ KeyState, Enabled }).toEqual({ KeyState: state, Enabled: state === 'Enabled' })
      for (const action of CRYPTOGRAPHIC) {
        const call = engine.call(action, inputs[action])
        if (exception) await refused(call, exception, `${ARN_PREFIX}key/${KeyId} is ${words}.`)
        else await call
      }
      const alias = engine.call('CreateAlias', { AliasName: `alias/${state}`, TargetKeyId: KeyId })
      if (words === 'pending deletion') {
        await refused(alias, 'KMSInvalidStateException', `${ARN_PREFIX}key/${KeyId} is pending deletion.`)
      } else {
        await alias
      }
    })
  })
})
