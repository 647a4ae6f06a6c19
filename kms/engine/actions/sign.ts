import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { assertAlgorithm, assertUsable, endDryRun } from '../cryptography.ts'
import { publicKeyOf, supported, withMaterial } from '../key-pair.ts'
import { ML_DSA, specification } from '../key-spec.ts'
import { resolveKey, type FoundKey } from '../lookup.ts'
import { signWith, verifyWith, type MessageToSign } from '../asymmetric.ts'
import type { SignInput, SignOutput, VerifyInput, VerifyOutput } from '../types.ts'

/** Sign: a signature of a message, or of the digest of one. */
export const sign: Action<SignInput, SignOutput> = {
  shape: 'SignRequest',
  mode: 'read',
  async act(context, input) {
    const { found, message } = await prepare(context, input)
    endDryRun(input.DryRun)
    const Signature = await withMaterial(context, found.record, (material) => signWith(material, message))
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
    const isValid = await context.outside(
      () => supported(verifyWith(publicKey, message, input.Signature)),
      found.record.keyId,
    )
    if (!isValid) throw new KmsError('KMSInvalidSignatureException')
    endDryRun(input.DryRun)
    return { KeyId: found.arn, SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm }
  },
}

async function prepare(
  context: ActionContext,
  { KeyId, GrantTokens, SigningAlgorithm, MessageType = 'RAW', Message }: SignInput,
): Promise<{ readonly found: FoundKey; readonly message: MessageToSign }> {
  const found = await resolveKey(context, KeyId, { grantTokens: GrantTokens })
  assertUsable(context, found, 'SIGN_VERIFY')
  const { keySpec } = found.record
  assertAlgorithm(SigningAlgorithm, keySpec, specification(keySpec)?.signing)
  assertMessageType(SigningAlgorithm, MessageType)
  const isDigest = MessageType !== 'RAW'
  if (isDigest && Message.length !== digestBytes(SigningAlgorithm)) {
    throw new KmsError('ValidationException', `Digest is invalid length for algorithm ${SigningAlgorithm}.`)
  }
  return { found, message: { algorithm: SigningAlgorithm, bytes: Message, isDigest } }
}

/** ML-DSA signs a representative of the message, as long as SHAKE256 makes it (FIPS 204 algorithm 7). */
function digestBytes(algorithm: string): number {
  return algorithm === ML_DSA ? 64 : Number(algorithm.slice(-3)) / 8
}

const RAW_OR_DIGEST = ['RAW', 'DIGEST']
const MESSAGE_TYPES: Readonly<Record<string, readonly string[]>> = {
  ED25519_SHA_512: ['RAW'],
  ED25519_PH_SHA_512: ['DIGEST'],
  [ML_DSA]: ['RAW', 'EXTERNAL_MU'],
}

function assertMessageType(algorithm: string, messageType: string): void {
  if ((MESSAGE_TYPES[algorithm] ?? RAW_OR_DIGEST).includes(messageType)) return
  throw new KmsError('ValidationException', `MessageType ${messageType} is not valid for algorithm ${algorithm}.`)
}
