/** What a key can be: its spec, with the usages and algorithms that go with it (AWS KMS developer guide, "Key spec"). */
export interface KeySpecification {
  /** The first is the one that a key has whose usage is not given; the others must be asked for. */
  readonly usages: readonly KeyUsageName[]
  readonly encryption?: readonly string[]
  readonly signing?: readonly string[]
  readonly mac?: readonly string[]
  readonly agreement?: readonly string[]
  /** Length of new symmetric material; asymmetric keys have none. */
  readonly materialBytes?: number
}

export type KeyUsageName = 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY' | 'GENERATE_VERIFY_MAC' | 'KEY_AGREEMENT'
export type KeyOrigin = 'AWS_KMS' | 'EXTERNAL'
export type KeySpecName = 'SYMMETRIC_DEFAULT'

/** The only algorithm of symmetric encryption keys. */
export const SYMMETRIC_DEFAULT = 'SYMMETRIC_DEFAULT'

const SPECIFICATIONS: Readonly<Record<KeySpecName, KeySpecification>> = {
  SYMMETRIC_DEFAULT: { usages: ['ENCRYPT_DECRYPT'], encryption: [SYMMETRIC_DEFAULT], materialBytes: 32 },
}

/** The specification of a key spec; undefined for one that this KMS does not have. */
export function specification(keySpec: string): KeySpecification | undefined {
  return Object.hasOwn(SPECIFICATIONS, keySpec) ? SPECIFICATIONS[keySpec as KeySpecName] : undefined
}

/** Whether keys of this spec are for symmetric encryption, and so have versions of material and ciphertext blobs. */
export function isSymmetric(keySpec: string): boolean {
  return keySpec === SYMMETRIC_DEFAULT
}
