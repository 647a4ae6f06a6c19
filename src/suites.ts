import type { EcdsaCurve } from '../bindings/asymmetric.ts'
import type { HashName } from '../bindings/core.ts'
import type { CipherSuite } from '../bindings/message.ts'

/**
 * An algorithm suite of the AWS Encryption SDK message format: AES-GCM with 12-byte IV and 16-byte tag, a key
 * derivation, and perhaps key commitment and a signature.
 *
 * Source: aws-encryption-sdk-specification, framework/algorithm-suites.md.
 */
export interface AlgorithmSuite extends CipherSuite {
  readonly id: AlgorithmSuiteId
  readonly name: AlgorithmSuiteName
  /** How the message key is derived from the data key: HKDF over this hash, or not at all. */
  readonly kdf: 'identity' | HashName
  /** The curve of the ECDSA signature over the message, undefined for unsigned suites. */
  readonly signatureCurve: EcdsaCurve | undefined
}

export type AlgorithmSuiteId =
  0x0014 | 0x0046 | 0x0078 | 0x0114 | 0x0146 | 0x0178 | 0x0214 | 0x0346 | 0x0378 | 0x0478 | 0x0578

export type AlgorithmSuiteName =
  | 'AES-128-GCM'
  | 'AES-192-GCM'
  | 'AES-256-GCM'
  | 'AES-128-GCM-HKDF-SHA256'
  | 'AES-192-GCM-HKDF-SHA256'
  | 'AES-256-GCM-HKDF-SHA256'
  | 'AES-128-GCM-HKDF-SHA256-ECDSA-P256'
  | 'AES-192-GCM-HKDF-SHA384-ECDSA-P384'
  | 'AES-256-GCM-HKDF-SHA384-ECDSA-P384'
  | 'AES-256-GCM-HKDF-SHA512-COMMIT-KEY'
  | 'AES-256-GCM-HKDF-SHA512-COMMIT-KEY-ECDSA-P384'

function suite(
  id: AlgorithmSuiteId,
  name: AlgorithmSuiteName,
  keyBytes: CipherSuite['keyBytes'],
  kdf: AlgorithmSuite['kdf'],
  signatureCurve?: EcdsaCurve,
): AlgorithmSuite {
  const isCommitting = kdf === 'sha512'
  return Object.freeze({ id, name, keyBytes, kdf, isCommitting, messageVersion: isCommitting ? 2 : 1, signatureCurve })
}

const SUITES: readonly AlgorithmSuite[] = [
  suite(0x0014, 'AES-128-GCM', 16, 'identity'),
  suite(0x0046, 'AES-192-GCM', 24, 'identity'),
  suite(0x0078, 'AES-256-GCM', 32, 'identity'),
  suite(0x0114, 'AES-128-GCM-HKDF-SHA256', 16, 'sha256'),
  suite(0x0146, 'AES-192-GCM-HKDF-SHA256', 24, 'sha256'),
  suite(0x0178, 'AES-256-GCM-HKDF-SHA256', 32, 'sha256'),
  suite(0x0214, 'AES-128-GCM-HKDF-SHA256-ECDSA-P256', 16, 'sha256', 'P-256'),
  suite(0x0346, 'AES-192-GCM-HKDF-SHA384-ECDSA-P384', 24, 'sha384', 'P-384'),
  suite(0x0378, 'AES-256-GCM-HKDF-SHA384-ECDSA-P384', 32, 'sha384', 'P-384'),
  suite(0x0478, 'AES-256-GCM-HKDF-SHA512-COMMIT-KEY', 32, 'sha512'),
  suite(0x0578, 'AES-256-GCM-HKDF-SHA512-COMMIT-KEY-ECDSA-P384', 32, 'sha512', 'P-384'),
]

const BY_ID: ReadonlyMap<unknown, AlgorithmSuite> = new Map(SUITES.map((row) => [row.id, row]))
const BY_NAME: ReadonlyMap<unknown, AlgorithmSuite> = new Map(SUITES.map((row) => [row.name, row]))

/**
 * Answers the suite with this id (`0x0478`) or name (`'AES-256-GCM-HKDF-SHA512-COMMIT-KEY'`).
 *
 * @throws RangeError when there is none.
 */
export function algorithmSuite(idOrName: AlgorithmSuiteId | AlgorithmSuiteName): AlgorithmSuite {
  const found = suiteWithId(idOrName) ?? BY_NAME.get(idOrName)
  if (found === undefined) throw new RangeError('no algorithm suite has this id or name: see AlgorithmSuiteName')
  return found
}

/** Answers the suite with this id, undefined when there is none. */
export function suiteWithId(id: unknown): AlgorithmSuite | undefined {
  return BY_ID.get(id)
}

/** All eleven suites, by ascending id. */
export const algorithmSuites: readonly AlgorithmSuite[] = Object.freeze(SUITES)
