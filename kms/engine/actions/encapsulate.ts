import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { assertAlgorithm, assertNoRecipient, assertUsable, endDryRun } from '../cryptography.ts'
import { publicKeyOf, supported, withMaterial } from '../key-pair.ts'
import { specification } from '../key-spec.ts'
import { resolveKey } from '../lookup.ts'
import { decapsulateWith, encapsulateTo } from '../asymmetric.ts'
import type { DecapsulateInput, DecapsulateOutput, EncapsulateInput, EncapsulateOutput } from '../types.ts'

/** Encapsulate: a new secret, and what carries it to the owner of an ML-KEM key (FIPS 203 §7.2). */
export const encapsulate: Action<EncapsulateInput, EncapsulateOutput> = {
  shape: 'EncapsulateRequest',
  mode: 'read',
  async act(context, { KeyId, GrantTokens, EncapsulationAlgorithm, DryRun }) {
    const found = await resolveKey(context, KeyId, { grantTokens: GrantTokens })
    assertUsable(context, found, 'ENCAPSULATE_DECAPSULATE')
    const { keySpec } = found.record
    assertAlgorithm(EncapsulationAlgorithm, keySpec, specification(keySpec)?.encapsulation)
    endDryRun(DryRun)
    const publicKey = publicKeyOf(found.record)
    const { ciphertext, sharedSecret } = await context.outside(
      () => supported(encapsulateTo(publicKey)),
      found.record.keyId,
    )
    return {
      KeyId: found.arn,
      SharedSecret: sharedSecret,
      SharedSecretCiphertextBlob: ciphertext,
      EncapsulationAlgorithm,
    }
  },
}

/**
 * Decapsulate: the secret in what Encapsulate, or anybody with the public key, made (FIPS 203 §7.3). A ciphertext of
 * another key gives another secret, not an error.
 */
export const decapsulate: Action<DecapsulateInput, DecapsulateOutput> = {
  shape: 'DecapsulateRequest',
  mode: 'read',
  async act(context, { KeyId, GrantTokens, EncapsulationAlgorithm, SharedSecretCiphertextBlob, Recipient, DryRun }) {
    assertNoRecipient(Recipient)
    const found = await resolveKey(context, KeyId, { grantTokens: GrantTokens })
    assertUsable(context, found, 'ENCAPSULATE_DECAPSULATE')
    const { keySpec } = found.record
    assertAlgorithm(EncapsulationAlgorithm, keySpec, specification(keySpec)?.encapsulation)
    const SharedSecret = await withMaterial(context, found.record, (material) =>
      decapsulateWith(material, SharedSecretCiphertextBlob),
    )
    if (!SharedSecret) throw new KmsError('InvalidCiphertextException')
    if (DryRun) SharedSecret.fill(0)
    endDryRun(DryRun)
    return { KeyId: found.arn, SharedSecret, EncapsulationAlgorithm }
  },
}
