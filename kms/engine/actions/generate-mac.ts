import { timingSafeEqual } from '../../../bindings/core.ts'
import type { MacHash } from '../../../bindings/key-pairs.ts'
import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { assertAlgorithm, assertUsable, endDryRun } from '../cryptography.ts'
import { keyPairs, supported } from '../key-pair.ts'
import { specification } from '../key-spec.ts'
import { resolveKey, type FoundKey } from '../lookup.ts'
import { currentMaterial } from '../material.ts'
import type { GenerateMacInput, GenerateMacOutput, VerifyMacInput, VerifyMacOutput } from '../types.ts'

/** GenerateMac: the HMAC of a message. */
export const generateMac: Action<GenerateMacInput, GenerateMacOutput> = {
  shape: 'GenerateMacRequest',
  mode: 'read',
  async act(context, input) {
    const found = await findMacKey(context, input)
    endDryRun(input.DryRun)
    return { KeyId: found.arn, Mac: await macOf(context, found, input), MacAlgorithm: input.MacAlgorithm }
  },
}

/** VerifyMac: answers true, or throws; it never answers false. */
export const verifyMac: Action<VerifyMacInput, VerifyMacOutput> = {
  shape: 'VerifyMacRequest',
  mode: 'read',
  async act(context, input) {
    const found = await findMacKey(context, input)
    const mac = await macOf(context, found, input)
    const isValid = timingSafeEqual(mac, input.Mac)
    mac.fill(0)
    if (!isValid) throw new KmsError('KMSInvalidMacException')
    endDryRun(input.DryRun)
    return { KeyId: found.arn, MacValid: true, MacAlgorithm: input.MacAlgorithm }
  },
}

async function findMacKey(
  context: ActionContext,
  { KeyId, GrantTokens, MacAlgorithm }: GenerateMacInput,
): Promise<FoundKey> {
  const found = await resolveKey(context, KeyId, { grantTokens: GrantTokens })
  assertUsable(context, found, 'GENERATE_VERIFY_MAC')
  const { keySpec } = found.record
  assertAlgorithm(MacAlgorithm, keySpec, specification(keySpec)?.mac)
  return found
}

async function macOf(
  context: ActionContext,
  { record }: FoundKey,
  { MacAlgorithm, Message }: GenerateMacInput,
): Promise<Uint8Array<ArrayBuffer>> {
  const hash = `sha${MacAlgorithm.slice(-3)}` as MacHash
  const { material } = await currentMaterial(context, record)
  try {
    return await supported(keyPairs.mac(hash, material, Message))
  } finally {
    material.fill(0)
  }
}
