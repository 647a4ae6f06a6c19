import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { toHex } from '../bytes.ts'
import { dropWrappingKeys } from '../expire.ts'
import { sealImportToken } from '../import-token.ts'
import { assertImports } from '../imported.ts'
import { supported } from '../key-pair.ts'
import { isPair, type PairSpec } from '../key-spec.ts'
import { resolveKeyId, updateKey } from '../lookup.ts'
import { generateKeyPair } from '../asymmetric.ts'
import { DAY_MS } from '../schedule.ts'
import type { GetParametersForImportInput, GetParametersForImportOutput } from '../types.ts'
import { storeWrappingKey } from '../wrapping-key.ts'

/** Wrapping keys that a key has at once; a further one takes the place of the oldest. */
const MAX_WRAPPING_KEYS = 100

/** GetParametersForImport: a public key to wrap material with, and a token that says so, for a day. */
export const getParametersForImport: Action<GetParametersForImportInput, GetParametersForImportOutput> = {
  shape: 'GetParametersForImportRequest',
  mode: 'write',
  isReadOnly: true,
  async act(context, { KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec: keySpec }) {
    const found = await resolveKeyId(context, KeyId)
    const { stored, record, arn } = found
    assertImports(found, 'importParameters')
    assertWrapping(record.keySpec, algorithm, keySpec)
    const pair = await context.outside(() => supported(generateKeyPair(keySpec as PairSpec)))
    const { keyId } = record
    const id = toHex(context.random(16))
    const until = context.now + DAY_MS
    try {
      await storeWrappingKey(context, { keyId, id }, pair.privateKey)
    } finally {
      pair.privateKey.fill(0)
    }
    const oldest = record.wrappingKeys?.slice(0, 1 - MAX_WRAPPING_KEYS).map((key) => key.id) ?? []
    const room = await dropWrappingKeys(context, record, (key) => oldest.includes(key.id))
    await updateKey(context, stored, { ...room, wrappingKeys: [...(room.wrappingKeys ?? []), { id, until }] })
    const ImportToken = await sealImportToken(context, keyId, { algorithm, keySpec, wrappingKeyId: id, until })
    return { KeyId: arn, ImportToken, PublicKey: pair.publicKey, ParametersValidTo: new Date(until) }
  },
}

/** Which material is wrapped how (AWS KMS developer guide, "Select a wrapping public key spec"). */
function assertWrapping(keySpec: string, algorithm: string, wrappingKeySpec: string): void {
  if (wrappingKeySpec === 'SM2' || !/^RSA(?:ES_OAEP|_AES_KEY_WRAP)_SHA_(?:1|256)$/.test(algorithm)) {
    throw unsupported(`Wrapping by ${algorithm} with a key of spec ${wrappingKeySpec} is not supported.`)
  }
  const isAlone = algorithm.startsWith('RSAES_OAEP')
  // RSA private keys are longer than an RSA block; that of P-521 than one of 2,048 bits.
  const isTooLong =
    isAlone && (keySpec.startsWith('RSA_') || (keySpec === 'ECC_NIST_P521' && wrappingKeySpec === 'RSA_2048'))
  if (isTooLong || (!isAlone && !isPair(keySpec))) {
    throw unsupported(`Key material of spec ${keySpec} cannot be wrapped by ${algorithm} with ${wrappingKeySpec}.`)
  }
}

function unsupported(message: string): KmsError {
  return new KmsError('UnsupportedOperationException', message)
}
