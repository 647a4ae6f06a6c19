import { hkdf } from '../../bindings/core.ts'

/** Bytes of the secret that a store has of its own. */
export const STORE_SECRET_BYTES = 32

const encoder = new TextEncoder()

/**
 * What is derived from the store's own secret rather than from the root key, so that it stays when the store is put
 * under another root key: the key of the audit chain, whose records are never written again, what seals the key that signs
 * its heads, the key of grant tokens, and that of the ids of imported material.
 */
export class StoreKeys {
  readonly audit: Uint8Array
  readonly heads: Uint8Array
  readonly grantTokens: Uint8Array
  readonly importedMaterial: Uint8Array

  constructor(secret: Uint8Array) {
    this.audit = derive(secret, 'waxseal-kms-audit-v1')
    this.heads = derive(secret, 'waxseal-kms-audit-head-v1')
    this.grantTokens = derive(secret, 'waxseal-kms-grant-token-v1')
    this.importedMaterial = derive(secret, 'waxseal-kms-imported-material-v1')
  }

  wipe(): void {
    this.audit.fill(0)
    this.heads.fill(0)
    this.grantTokens.fill(0)
    this.importedMaterial.fill(0)
  }
}

function derive(secret: Uint8Array, label: string): Uint8Array {
  return hkdf('sha512', secret, { info: encoder.encode(label), length: 32 })
}
