import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { assertAlgorithm, assertNoRecipient, assertUsable, endDryRun } from '../cryptography.ts'
import { keyPairs, withMaterial } from '../key-pair.ts'
import { specification } from '../key-spec.ts'
import { resolveKey } from '../lookup.ts'
import type { DeriveSharedSecretInput, DeriveSharedSecretOutput } from '../types.ts'

/** DeriveSharedSecret: ECDH with the owner of a public key on the same curve. */
export const deriveSharedSecret: Action<DeriveSharedSecretInput, DeriveSharedSecretOutput> = {
  shape: 'DeriveSharedSecretRequest',
  mode: 'read',
  async act(context, { KeyId, GrantTokens, KeyAgreementAlgorithm, PublicKey, Recipient, DryRun }) {
    assertNoRecipient(Recipient)
    const found = await resolveKey(context, KeyId, { grantTokens: GrantTokens })
    assertUsable(context, found, 'KEY_AGREEMENT')
    const { keySpec, origin } = found.record
    assertAlgorithm(KeyAgreementAlgorithm, keySpec, specification(keySpec)?.agreement)
    const SharedSecret = await withMaterial(context, found.record, (material) => keyPairs.agree(material, PublicKey))
    if (!SharedSecret) {
      throw new KmsError('ValidationException', `PublicKey is not a public key of the key spec ${keySpec}.`)
    }
    if (DryRun) SharedSecret.fill(0)
    endDryRun(DryRun)
    return { KeyId: found.arn, SharedSecret, KeyAgreementAlgorithm, KeyOrigin: origin }
  },
}
