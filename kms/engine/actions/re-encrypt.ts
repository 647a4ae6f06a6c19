import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { endDryRun } from '../cryptography.ts'
import {
  endDryRunWithoutCiphertext,
  isDecryptedOutside,
  performDecryption,
  prepareDecryption,
  type Decryption,
} from '../decryption.ts'
import { performEncryption, prepareEncryption, type Encryption } from '../encryption.ts'
import { locateKey } from '../lookup.ts'
import { OutsideWork } from '../outside.ts'
import { keyIdOfBlob } from '../store-blob.ts'
import type { ReEncryptInput, ReEncryptOutput } from '../types.ts'

/** ReEncrypt: decrypts under one key and encrypts under another, or under the same with another context. */
export const reEncrypt: Action<ReEncryptInput, ReEncryptOutput> = {
  shape: 'ReEncryptRequest',
  mode: 'read',
  async act(context, input) {
    const isSameKey = await namesSameKey(context, input)
    const source = await prepareDecryption(context, {
      ciphertext: input.CiphertextBlob,
      keyId: input.SourceKeyId,
      algorithm: input.SourceEncryptionAlgorithm,
      encryptionContext: input.SourceEncryptionContext,
      isDryRun: input.DryRun,
      dryRunModifiers: input.DryRunModifiers,
      access: { permission: 'ReEncryptFrom', grantTokens: input.GrantTokens, isSameKey },
    })
    const destination = await prepareEncryption(context, {
      keyId: input.DestinationKeyId,
      algorithm: input.DestinationEncryptionAlgorithm,
      encryptionContext: input.DestinationEncryptionContext,
      access: { permission: 'ReEncryptTo', grantTokens: input.GrantTokens, isSameKey },
    })
    endDryRunWithoutCiphertext(source)
    const { plaintext, materialId } = await performDecryption(context, source)
    let isNeeded = false
    try {
      destination.assertLength(plaintext)
      endDryRun(input.DryRun)
      const wrapped = await performEncryption(context, destination, plaintext)
      return {
        ...namesOf(source, destination),
        CiphertextBlob: wrapped.ciphertext,
        ...(materialId !== undefined && { SourceKeyMaterialId: materialId }),
        ...(wrapped.materialId !== undefined && { DestinationKeyMaterialId: wrapped.materialId }),
      }
    } catch (error) {
      // What was decrypted outside the transaction is not decrypted again when the action begins anew.
      isNeeded = error instanceof OutsideWork && isDecryptedOutside(source)
      throw error
    } finally {
      if (!isNeeded) plaintext.fill(0)
    }
  },
}

/** Whether source and destination are one key, as a condition can ask; false if one of them is not to be found. */
async function namesSameKey(context: ActionContext, input: ReEncryptInput): Promise<boolean> {
  const { SourceKeyId, DestinationKeyId, CiphertextBlob } = input
  try {
    const destination = await locateKey(context, DestinationKeyId)
    if (SourceKeyId !== undefined) return destination === (await locateKey(context, SourceKeyId))
    return CiphertextBlob !== undefined && destination === keyIdOfBlob(CiphertextBlob)
  } catch (error) {
    // What is wrong with a name is said where the key is needed.
    if (error instanceof KmsError && error.name !== 'KMSInternalException') return false
    throw error
  }
}

function namesOf(source: Decryption, destination: Encryption): Omit<ReEncryptOutput, 'CiphertextBlob'> {
  return {
    SourceKeyId: source.arn,
    KeyId: destination.arn,
    SourceEncryptionAlgorithm: source.algorithm,
    DestinationEncryptionAlgorithm: destination.algorithm,
  }
}
