import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { keyMetadata } from '../key-metadata.ts'
import { publicKeyOf } from '../key-pair.ts'
import { isPair } from '../key-spec.ts'
import { assertKeyState } from '../key-state.ts'
import { resolveKey } from '../lookup.ts'
import type { DescribeKeyInput, GetPublicKeyOutput } from '../types.ts'

/** GetPublicKey: the public half of an asymmetric key. */
export const getPublicKey: Action<DescribeKeyInput, GetPublicKeyOutput> = {
  shape: 'GetPublicKeyRequest',
  mode: 'read',
  async act(context, { KeyId, GrantTokens }) {
    const { record, arn } = await resolveKey(context, KeyId, { grantTokens: GrantTokens })
    if (!isPair(record.keySpec)) {
      throw new KmsError('UnsupportedOperationException', `${arn} is a symmetric key, which has no public key.`)
    }
    assertKeyState(record.state, 'cryptography', arn)
    const metadata = keyMetadata(context.scope, record)
    const { KeySpec, KeyUsage, EncryptionAlgorithms, SigningAlgorithms, KeyAgreementAlgorithms } = metadata
    const { EncapsulationAlgorithms } = metadata
    return {
      KeyId: arn,
      PublicKey: publicKeyOf(record),
      CustomerMasterKeySpec: KeySpec,
      KeySpec,
      KeyUsage,
      ...(EncryptionAlgorithms && { EncryptionAlgorithms }),
      ...(SigningAlgorithms && { SigningAlgorithms }),
      ...(KeyAgreementAlgorithms && { KeyAgreementAlgorithms }),
      ...(EncapsulationAlgorithms && { EncapsulationAlgorithms }),
    }
  },
}
