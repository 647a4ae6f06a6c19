export { createEngine } from './engine.ts'
export type { Engine, EngineOptions } from './engine.ts'
export { KmsError, type KmsExceptionName } from '../errors.ts'
export type { Audit, AuditEntry, VerifyOptions } from './audit.ts'
export { verifyAuditHead, type AuditHead, type SignedAuditHead } from './audit-head.ts'
export type { CallOptions, Principal } from './caller.ts'
export type { Credential, Credentials } from './credentials.ts'
export type {
  HsmCluster,
  HsmKeyStore,
  KeyStore,
  StoreCiphertext,
  StoreFault,
  StoreRequest,
} from '../key-stores/key-store.ts'
export { KeyStoreError } from '../key-stores/key-store.ts'
export type { KeyStoreOptions } from './key-store-host.ts'
export type { IamAccessKey, IamActionName, IamTypes, IamUser } from './iam.ts'
export { rotateRootKey, type RotateRootKeyOptions } from './rotate-root.ts'
export type { SeededKey } from './seed.ts'
export type { Signal, SignalListener, SignalType } from './signals.ts'
export type { AuditRecord } from './trail.ts'
export type * from './types.ts'
