import type { Action } from '../action.ts'
import { resolveKeyId } from '../lookup.ts'
import type { GetKeyLastUsageOutput, KeyIdInput } from '../types.ts'

/** GetKeyLastUsage: the last successful cryptographic use of a key. */
export const getKeyLastUsage: Action<KeyIdInput, GetKeyLastUsageOutput> = {
  shape: 'GetKeyLastUsageRequest',
  mode: 'read',
  async act(context, { KeyId }) {
    const { stored, record, arn } = await resolveKeyId(context, KeyId)
    const usage = await context.usageOf(stored.row.id)
    const created = new Date(record.created)
    return {
      KeyId: arn,
      ...(usage && {
        KeyLastUsage: {
          Operation: usage.operation,
          Timestamp: new Date(usage.at),
          CloudTrailEventId: usage.eventId,
          KmsRequestId: usage.requestId,
        },
      }),
      // A key's use is noted from its first day.
      TrackingStartDate: created,
      KeyCreationDate: created,
    }
  },
}
