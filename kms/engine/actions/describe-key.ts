import type { Action } from '../action.ts'
import { keyMetadata } from '../key-metadata.ts'
import { resolveKey } from '../lookup.ts'
import type { DescribeKeyInput, KeyMetadataOutput } from '../types.ts'

/** DescribeKey: the metadata of a key, whatever its state. */
export const describeKey: Action<DescribeKeyInput, KeyMetadataOutput> = {
  shape: 'DescribeKeyRequest',
  mode: 'read',
  async act(context, { KeyId, GrantTokens }) {
    const { record } = await resolveKey(context, KeyId, { grantTokens: GrantTokens })
    return { KeyMetadata: keyMetadata(context.scope, record) }
  },
}
