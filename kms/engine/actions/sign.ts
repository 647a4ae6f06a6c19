import type { SignedMessage, SigningAlgorithm } from '../../../bindings/key-pairs.ts'
import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { assertAlgorithm, assertUsable, endDryRun } from '../cryptography.ts'
import { keyPairs, publicKeyOf, supported, withMaterial } from '../key-pair.ts'
import { specification } from '../key-spec.ts'
import { resolveKey, type FoundKey } from '../lookup.ts'
import type { SignInput, SignOutput, VerifyInput, VerifyOutput } from '../types.ts'

/** Sign: a signature of a message, or of the digest of one. */
export const sign: Action<SignInput, SignOutput> = {
  shape: 'SignRequest',
  mode: 'read',
  async act(context, input) {
    const { found, message } = await prepare(context, input)
    endDryRun(input.DryRun)
    const Signature = await withMaterial(context, found.record, (material) => keyPairs.sign(material, message))
    return { KeyId: found.arn, Signature, SigningAlgorithm: input.SigningAlgorithm }
  },
}

/** Verify: answers true, or throws; it never answers false. */
export const verify: Action<VerifyInput, VerifyOutput> = {
  shape: 'VerifyRequest',
  mode: 'read',
  async act(context, input) {
    const { found, message } = await prepare(context, input)
    const publicKey = publicKeyOf(found.record)
    const isValid = await context.outside(() => supported(keyPairs.verify(publicKey, message, input.Signature)))
    if (!isValid) throw new KmsError('KMSInvalidSignatureException')
    endDryRun(input.DryRun)
    return { KeyId: found.arn, SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm }
  },
}

async function prepare(
  context: ActionContext,
  { KeyId, GrantTokens, SigningAlgorithm, MessageType = 'RAW', Message }: SignInput,
): Promise<{ readonly found: FoundKey; readonly message: SignedMessage }> {
  const found = await resolveKey(context, KeyId, { grantTokens: GrantTokens })
  assertUsable(context, found, 'SIGN_VERIFY')
  const { keySpec } = found.record
  assertAlgorithm(SigningAlgorithm, keySpec, specification(keySpec)?.signing)
  assertMessageType(SigningAlgorithm, MessageType)
  const isDigest = MessageType === 'DIGEST'
  if (isDigest && Message.length !== Number(SigningAlgorithm.slice(-3)) / 8) {
    throw new KmsError('ValidationException', `Digest is invalid length for algorithm ${SigningAlgorithm}.`)
  }
  return { found, message: { algorithm: SigningAlgorithm as SigningAlgorithm, bytes: Message, isDigest } }
}

function assertMessageType(algorithm: string, messageType: string): void {
  const only: Readonly<Record<string, string>> = { ED25519_SHA_512: 'RAW', ED25519_PH_SHA_512: 'DIGEST' }
  const needed = only[algorithm]
  if (messageType !== 'EXTERNAL_MU' && (needed === undefined || needed === messageType)) return
  throw new KmsError('ValidationException', `MessageType ${messageType} is not valid for algorithm ${algorithm}.`)
}
