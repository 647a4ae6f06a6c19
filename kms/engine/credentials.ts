import { AuthenticationError } from '../../bindings/errors.ts'
import type { Principal } from '../policy/index.ts'
import type { Store } from '../store/store.ts'
import type { Scope } from './arn.ts'
import { KnownRows } from './authentic-rows.ts'
import { fromHex } from './bytes.ts'
import { CommitQueue } from './commit-queue.ts'
import { describeAccessKey } from './iam.ts'
import { accessKeyRow, userRow } from './identities.ts'
import type { RootKeys } from './keys.ts'
import { wipeBytes } from './outside.ts'
import { RecordTransaction, tampered, type UserRecord } from './records.ts'
import { readRootKeyId } from './root.ts'

/** What an access key id stands for. */
export interface Credential {
  /** UTF-8. Fresh: whoever asked may change and wipe it. */
  readonly secretAccessKey: Uint8Array
  readonly principal: Principal & { readonly type: 'User' }
}

/** The access keys of the users. */
export interface Credentials {
  /** As the store says now; undefined for an id that no user has. */
  find(accessKeyId: string): Promise<Credential | undefined>
}

export function openCredentials(host: {
  readonly store: Store
  readonly keys: RootKeys
  readonly scope: Scope
}): Credentials {
  const { store, keys, scope } = host
  const known = new KnownRows()
  // Requests that come together are looked up in one transaction.
  const queue = new CommitQueue<RecordTransaction>(
    (work) => store.transaction('read', (rows) => work(new RecordTransaction(rows, keys, known))),
    (found) => wipeBytes(found),
  )
  return { find: (accessKeyId) => queue.run((records) => find(records, keys, scope, accessKeyId)) }
}

async function find(
  records: RecordTransaction,
  keys: RootKeys,
  scope: Scope,
  accessKeyId: string,
): Promise<Credential | undefined> {
  if (!/^\w{16,128}$/.test(accessKeyId)) return undefined
  const id = accessKeyRow(scope, accessKeyId)
  const accessKey = (await records.get('identity', id))?.record
  if (!accessKey || !('sealed' in accessKey)) return undefined
  const user = (await records.get('identity', userRow(scope, accessKey.userName)))?.record as UserRecord | undefined
  if (user?.userId !== accessKey.userId) throw tampered('identity', id)
  const description = describeAccessKey(scope.account, accessKeyId, user.userId, await readRootKeyId(records))
  try {
    return {
      secretAccessKey: keys.unseal(fromHex(accessKey.sealed), ...description),
      principal: principalOf(user, scope),
    }
  } catch (error) {
    if (error instanceof AuthenticationError) throw tampered('identity', id)
    throw error
  }
}

function principalOf({ arn, userId, tags }: UserRecord, { account }: Scope): Credential['principal'] {
  const entries = tags.map(({ key, value }): readonly [string, string] => [key, value])
  return { account, arn, id: userId, type: 'User', tags: Object.fromEntries(entries) }
}
