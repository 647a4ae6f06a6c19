import { encodeUtf8 } from '../../bindings/text.ts'

const MAX_NAME_BYTES = 0xffff - 64

/** The two names by which raw keyrings find their encrypted data keys in a message. */
export interface KeyName {
  /** The provider id. */
  readonly namespace: string
  /** The name as it stands in the provider information. */
  readonly nameBytes: Uint8Array
  /** For error messages. */
  readonly label: string
}

/**
 * Checks the names of a raw keyring.
 *
 * @throws TypeError when one is no well-formed string
 * @throws RangeError when one is empty or too long, or the namespace begins with `aws-kms`, which only keys of AWS
 * KMS may use
 */
export function keyName({ namespace, name }: { readonly namespace: string; readonly name: string }): KeyName {
  const namespaceBytes = encodeUtf8(namespace, 'namespace')
  const nameBytes = encodeUtf8(name, 'name')
  for (const [what, bytes] of [
    ['namespace', namespaceBytes],
    ['name', nameBytes],
  ] as const) {
    if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES) {
      throw new RangeError(`${what} must have 1 to ${String(MAX_NAME_BYTES)} bytes of UTF-8`)
    }
  }
  if (namespace.startsWith('aws-kms')) throw new RangeError('namespace must not begin with aws-kms')
  return { namespace, nameBytes, label: `${namespace}/${name}` }
}
