import type { Action } from '../action.ts'
import { assertNoGrantTokens, resolveKey } from '../lookup.ts'
import { keyMetadata } from '../metadata.ts'
import type { DescribeKeyInput, KeyMetadataOutput } from '../types.ts'

/** DescribeKey: the metadata of a key, whatever its state. */
export const describeKey: Action<DescribeKeyInput, KeyMetadataOutput> = {
  shape: 'DescribeKeyRequest',
  mode: 'read',
  async act(context, { KeyId, GrantTokens }) {
    assertNoGrantTokens(GrantTokens)
    const { record } = await resolveKey(context, KeyId)
    return { KeyMetadata: keyMetadata(context.scope, record) }
  },
}
