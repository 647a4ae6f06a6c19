import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { parseBlob } from '../blob.ts'
import { assertAlgorithm, assertUsable, authenticatedContext, endDryRun } from '../cryptography.ts'
import { endDryRunWithoutCiphertext, performDecryption, prepareDecryption, type Decryption } from '../decryption.ts'
import { specification, SYMMETRIC_DEFAULT } from '../key-spec.ts'
import { locateKey, resolveKey } from '../lookup.ts'
import type { ReEncryptInput, ReEncryptOutput } from '../types.ts'
import { wrapUnder, type Wrapping } from '../wrap.ts'

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
    const destination = await prepareDestination(context, input, isSameKey)
    endDryRunWithoutCiphertext(source)
    const { plaintext, materialId } = await performDecryption(context, source)
    try {
      endDryRun(input.DryRun)
      const wrapped = await wrapUnder(context, destination, plaintext)
      return {
        ...namesOf(source, destination),
        CiphertextBlob: wrapped.blob,
        ...(materialId !== undefined && { SourceKeyMaterialId: materialId }),
        DestinationKeyMaterialId: wrapped.materialId,
      }
    } finally {
      plaintext.fill(0)
    }
  },
}

interface Destination extends Wrapping {
  readonly algorithm: string
}

/** Whether source and destination are one key, as a condition can ask; false if one of them is not to be found. */
async function namesSameKey(context: ActionContext, input: ReEncryptInput): Promise<boolean> {
  const { SourceKeyId, DestinationKeyId, CiphertextBlob } = input
  try {
    const destination = await locateKey(context, DestinationKeyId)
    if (SourceKeyId !== undefined) return destination === (await locateKey(context, SourceKeyId))
    return CiphertextBlob !== undefined && destination === parseBlob(CiphertextBlob).keyId
  } catch (error) {
    // What is wrong with a name is said where the key is needed.
    if (error instanceof KmsError && error.name !== 'KMSInternalException') return false
    throw error
  }
}

async function prepareDestination(
  context: ActionContext,
  input: ReEncryptInput,
  isSameKey: boolean,
): Promise<Destination> {
  const { DestinationEncryptionAlgorithm: algorithm = SYMMETRIC_DEFAULT, GrantTokens } = input
  const serialized = authenticatedContext(input.DestinationEncryptionContext)
  const access = { permission: 'ReEncryptTo', grantTokens: GrantTokens, isSameKey }
  const found = await resolveKey(context, input.DestinationKeyId, access)
  assertUsable(context, found, 'ENCRYPT_DECRYPT')
  const { keySpec } = found.record
  assertAlgorithm(algorithm, keySpec, specification(keySpec)?.encryption)
  return { ...found, algorithm, context: serialized }
}

function namesOf(source: Decryption, destination: Destination): Omit<ReEncryptOutput, 'CiphertextBlob'> {
  return {
    SourceKeyId: source.arn,
    KeyId: destination.arn,
    SourceEncryptionAlgorithm: source.algorithm,
    DestinationEncryptionAlgorithm: destination.algorithm,
  }
}
