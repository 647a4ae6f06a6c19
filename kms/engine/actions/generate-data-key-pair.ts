import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { assertNoRecipient, endDryRun } from '../cryptography.ts'
import { supported } from '../key-pair.ts'
import type { PairSpec } from '../key-spec.ts'
import { generateKeyPair } from '../asymmetric.ts'
import type {
  GenerateDataKeyPairInput,
  GenerateDataKeyPairOutput,
  GenerateDataKeyPairWithoutPlaintextOutput,
} from '../types.ts'
import { prepareWrapping, wrapUnder } from '../wrap.ts'

/** GenerateDataKeyPair: a key pair, its private key plain and wrapped. */
export const generateDataKeyPair: Action<GenerateDataKeyPairInput, GenerateDataKeyPairOutput> = {
  shape: 'GenerateDataKeyPairRequest',
  mode: 'read',
  act: generate,
}

/** GenerateDataKeyPairWithoutPlaintext: the same, the private key wrapped only. */
export const generateDataKeyPairWithoutPlaintext: Action<
  GenerateDataKeyPairInput,
  GenerateDataKeyPairWithoutPlaintextOutput
> = {
  shape: 'GenerateDataKeyPairWithoutPlaintextRequest',
  mode: 'read',
  async act(context, input) {
    const { PrivateKeyPlaintext, ...output } = await generate(context, input)
    PrivateKeyPlaintext.fill(0)
    return output
  },
}

async function generate(context: ActionContext, input: GenerateDataKeyPairInput): Promise<GenerateDataKeyPairOutput> {
  const { KeyPairSpec: spec } = input
  assertNoRecipient(input.Recipient)
  const wrapping = await prepareWrapping(context, input)
  if (wrapping.record.keyStore) {
    throw new KmsError(
      'UnsupportedOperationException',
      `${wrapping.arn} is in a custom key store: it wraps no key pairs.`,
    )
  }
  if (spec === 'SM2') throw new KmsError('UnsupportedOperationException', 'KeyPairSpec SM2 is not supported.')
  endDryRun(input.DryRun)
  const pair = await context.outside(() => supported(generateKeyPair(spec as PairSpec)))
  const { blob, materialId } = await wrapUnder(context, wrapping, pair.privateKey)
  return {
    PrivateKeyCiphertextBlob: blob,
    PrivateKeyPlaintext: pair.privateKey,
    PublicKey: pair.publicKey,
    KeyId: wrapping.arn,
    KeyPairSpec: spec,
    KeyMaterialId: materialId,
  }
}
