import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { assertNoRecipient, endDryRun } from '../cryptography.ts'
import { sealInStore } from '../in-key-store.ts'
import type { GenerateDataKeyInput, GenerateDataKeyOutput, GenerateDataKeyWithoutPlaintextOutput } from '../types.ts'
import { prepareWrapping, SALT_BYTES, wrapUnder, type Wrapping } from '../wrap.ts'

const SPEC_BYTES: Readonly<Record<string, number>> = { AES_128: 16, AES_256: 32 }

/** GenerateDataKey: a random data key, plain and wrapped. */
export const generateDataKey: Action<GenerateDataKeyInput, GenerateDataKeyOutput> = {
  shape: 'GenerateDataKeyRequest',
  mode: 'read',
  act: generate,
}

/** GenerateDataKeyWithoutPlaintext: the same, wrapped only. */
export const generateDataKeyWithoutPlaintext: Action<GenerateDataKeyInput, GenerateDataKeyWithoutPlaintextOutput> = {
  shape: 'GenerateDataKeyWithoutPlaintextRequest',
  mode: 'read',
  async act(context, input) {
    const { Plaintext, ...output } = await generate(context, input)
    Plaintext.fill(0)
    return output
  },
}

async function generate(context: ActionContext, input: GenerateDataKeyInput): Promise<GenerateDataKeyOutput> {
  const length = dataKeyBytes(input)
  assertNoRecipient(input.Recipient)
  const wrapping = await prepareWrapping(context, input)
  endDryRun(input.DryRun)
  if (wrapping.record.keyStore) return generateInStore(context, wrapping, length)
  // One draw for both: asking for random bytes takes far longer than getting them.
  const drawn = context.random(length + SALT_BYTES)
  const [Plaintext, salt] = [drawn.slice(0, length), drawn.slice(length)]
  drawn.fill(0)
  try {
    const { blob, materialId } = await wrapUnder(context, wrapping, Plaintext, salt)
    return { CiphertextBlob: blob, KeyId: wrapping.arn, KeyMaterialId: materialId, Plaintext }
  } catch (error) {
    Plaintext.fill(0)
    throw error
  }
}

/** Drawn where it is encrypted, outside: an action that begins anew would draw another one. */
async function generateInStore(
  context: ActionContext,
  wrapping: Wrapping,
  length: number,
): Promise<GenerateDataKeyOutput> {
  const { blob, plaintext } = await sealInStore(context, wrapping, length, wrapping.context)
  if (!plaintext) throw new KmsError('KMSInternalException', 'a data key was not made')
  return { CiphertextBlob: blob, KeyId: wrapping.arn, Plaintext: plaintext }
}

function dataKeyBytes({ KeySpec, NumberOfBytes }: GenerateDataKeyInput): number {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw new KmsError('ValidationException', 'Please specify either number of bytes or key spec.')
  }
  return NumberOfBytes ?? SPEC_BYTES[KeySpec ?? ''] ?? 0
}
