import { encodeUtf8 } from '../../bindings/text.ts'
import type { Engine } from '../engine/index.ts'

/** Who a request is from, once its signature verified. */
export interface Caller {
  /** Twelve digits. */
  readonly account: string
  readonly arn: string
  /** The unique id: of an account its number. */
  readonly id: string
  readonly type: 'Account' | 'User' | 'Role'
  readonly tags: Readonly<Record<string, string>>
}

/** What an access key id stands for. */
export interface Credential {
  /** UTF-8. The server neither changes nor keeps it. */
  readonly secretAccessKey: Uint8Array
  readonly principal: Caller
  /** Called when the server needs the secret no more. */
  readonly release?: (() => void) | undefined
}

/**
 * Finds the credential of an access key id, twice for each request: before its body is read, and anew when it has come. So
 * a key that was deleted ends at once, however long a request was held back.
 */
export type CredentialSource = (accessKeyId: string) => Credential | undefined | Promise<Credential | undefined>

/**
 * The root of an account as its only credential.
 *
 * @throws TypeError or RangeError for an account that is not twelve digits, an access key id that is not 1–128 letters,
 *   digits and underscores, or an empty secret
 */
export function rootCredential(options: {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Default 000000000000. */
  readonly account?: string | undefined
}): CredentialSource {
  const { accessKeyId, account = '000000000000' } = options
  if (!/^\w{1,128}$/.test(accessKeyId)) throw new RangeError('an access key id is 1 to 128 letters, digits and _')
  if (!/^\d{12}$/.test(account)) throw new RangeError('account must be twelve digits')
  const secretAccessKey = encodeUtf8(options.secretAccessKey, 'secretAccessKey')
  if (secretAccessKey.length === 0) throw new RangeError('the secret access key is empty')
  const arn = `arn:aws:iam::${account}:root`
  const credential: Credential = {
    secretAccessKey,
    principal: { account, arn, id: account, type: 'Account', tags: {} },
  }
  return (id) => (id === accessKeyId ? credential : undefined)
}

/**
 * The users of an engine's account, with the access keys that its store has at the moment of the request, whichever
 * process made or deleted them.
 */
export function userCredentials({ credentials }: Pick<Engine, 'credentials'>): CredentialSource {
  return async (accessKeyId) => {
    const found = await credentials.find(accessKeyId)
    return found && { ...found, release: () => void found.secretAccessKey.fill(0) }
  }
}

/** Asks several sources in turn. */
export function anyCredential(...sources: readonly CredentialSource[]): CredentialSource {
  return async (accessKeyId) => {
    for (const source of sources) {
      const credential = await source(accessKeyId)
      if (credential) return credential
    }
    return undefined
  }
}
