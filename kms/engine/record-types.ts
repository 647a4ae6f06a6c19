import type { Grant } from '../policy/index.ts'
import type { KeyOrigin, KeySpecName, KeyStoreType, KeyUsageName } from './key-spec.ts'
import type { KeyState } from './key-state.ts'

// The records of each table. Times are milliseconds since 1970. Ids of rows begin with account/region/.

/** A KMS key. */
export interface KeyRecord {
  readonly keyId: string
  readonly created: number
  readonly description: string
  readonly state: KeyState
  readonly keySpec: KeySpecName
  readonly keyUsage: KeyUsageName
  readonly origin: KeyOrigin
  /** The custom key store that the key is in, which `origin` says the type of. */
  readonly keyStore?: KeyPlace
  readonly tags: readonly { readonly key: string; readonly value: string }[]
  /** Id of the material in use; none while the key waits for its first import. */
  readonly currentMaterial?: string
  /** All material, in the order in which it came to the key. */
  readonly materials: readonly MaterialEntry[]
  /** Hex of the SubjectPublicKeyInfo of an asymmetric key. */
  readonly publicKey?: string
  /** Names of the aliases that point here, sorted. */
  readonly aliases: readonly string[]
  readonly grants: number
  readonly multiRegion?: MultiRegion
  readonly deletion?: Deletion
  /** Automatic rotation; absent is off. */
  readonly rotation?: { readonly periodDays: number; readonly next: number }
  readonly onDemandRotations: number
  /** Private keys for imports that are still there, the oldest first. */
  readonly wrappingKeys?: readonly { readonly id: string; readonly until: number }[]
}

/** What a key in a custom key store is there. */
export interface KeyPlace {
  readonly storeId: string
  /** In an external key store: the external key. */
  readonly xksKeyId?: string
  /** In a hardware security module, where the key's own id names it. */
  readonly clusterId?: string
}

/** The end of a key, once it is scheduled. */
export interface Deletion {
  readonly days: number
  /** None while a primary key waits for its replicas to end: its days begin then. */
  readonly at?: number
  /** What the key was before. */
  readonly from: KeyState
}

/** Of a multi-Region key: which key it is and where the related ones are. All of them say the same, but for `type`. */
export interface MultiRegion {
  readonly type: 'PRIMARY' | 'REPLICA'
  /** Region of the primary key. */
  readonly primary: string
  /** Regions of the replicas. */
  readonly replicas: readonly string[]
}

/** What a key knows of one version of its material. */
export interface MaterialEntry {
  readonly id: string
  readonly created: number
  /** How and when it became the current one; absent for the first. */
  readonly rotated?: { readonly at: number; readonly type: 'AUTOMATIC' | 'ON_DEMAND' }
  /** Of imported material. */
  readonly imported?: ImportedMaterial
}

/** What became of material that was imported. */
export interface ImportedMaterial {
  /** Whether it is here, or was deleted or has expired. */
  readonly isPresent: boolean
  /** When it expires; absent if it does not, or is not here. */
  readonly until?: number
  readonly description?: string
  /** Waits to become the current one by RotateKeyOnDemand. */
  readonly isPending?: boolean
  /** That it will expire was said, or goes without saying. */
  readonly isAnnounced?: boolean
}

/** One version of a key's material. */
export interface MaterialRecord {
  readonly materialId: string
  readonly created: number
  /** Hex of the sealed material. */
  readonly sealed: string
}

/** A private key that imported material is unwrapped with. */
export interface WrappingKeyRecord {
  readonly keyId: string
  readonly id: string
  /** Hex of the sealed PKCS #8. */
  readonly sealed: string
}

export interface AliasRecord {
  readonly name: string
  readonly targetKeyId: string
  readonly created: number
  readonly updated: number
}

export type ConnectionState = 'CONNECTED' | 'DISCONNECTED' | 'FAILED'

/** A custom key store. */
export interface KeyStoreRecord {
  readonly id: string
  readonly name: string
  readonly created: number
  readonly state: ConnectionState
  /** Why the connection failed. */
  readonly errorCode?: string
  /** How many KMS keys it has, those that wait for their end included. */
  readonly keys: number
  readonly kind: ExternalStoreKind | HsmStoreKind
  /** Hex of the sealed secret: the secret access key, or the PIN. */
  readonly sealed: string
}

export interface ExternalStoreKind {
  readonly type: KeyStoreType & 'EXTERNAL_KEY_STORE'
  readonly endpoint: string
  readonly path: string
  readonly accessKeyId: string
}

export interface HsmStoreKind {
  readonly type: KeyStoreType & 'AWS_CLOUDHSM'
  readonly clusterId: string
  readonly trustAnchor: string
}

/** Says which KMS key an external key is. */
export interface ExternalKeyRecord {
  readonly keyId: string
}

/** What the engine knows of a root key without having it: its id, and the store's own secret sealed under it. */
export interface RootRecord {
  readonly rootKeyId: string
  readonly secret: string
}

/** Counts of an account and region. */
export interface ScopeRecord {
  readonly keys: number
}

/** The newest record of an audit chain. */
export interface ChainRecord {
  readonly records: number
  /** Hex. */
  readonly mac: string
  /** Milliseconds since 1970: the last time of which no process was in doubt. */
  readonly time?: number
}

/** The key that signs the heads of the audit log, the private one sealed under the store's own secret. */
export interface HeadKeyRecord {
  /** Hex of the SubjectPublicKeyInfo. */
  readonly publicKey: string
  /** Hex of the sealed PKCS #8. */
  readonly privateKey: string
}

/** The last successful cryptographic call of a key. */
export interface UsageRecord {
  readonly operation: string
  readonly at: number
  readonly eventId: string
  readonly requestId: string
}

/** Says that a key has something to be done at a time; whether it is so, the key itself says. */
export interface DueRecord {
  readonly at: number
  readonly account: string
  readonly region: string
  readonly keyId: string
}

/** The policy of a key. */
export interface PolicyRecord {
  readonly text: string
  /** Unique ids of the principals that it names, by ARN, as they were when it was put. */
  readonly ids: Readonly<Record<string, string>>
}

export interface GrantRecord extends Grant {
  readonly keyId: string
  readonly created: number
  readonly name?: string
}

/** Says that a principal may retire a grant; whether it is so, the grant itself says. */
export interface RetiringRecord {
  readonly keyId: string
  readonly grantId: string
}

/** A user of the account. */
export interface UserRecord {
  readonly name: string
  readonly path: string
  readonly userId: string
  readonly arn: string
  readonly created: number
  readonly tags: readonly { readonly key: string; readonly value: string }[]
  /** Texts of its policies, by name. */
  readonly policies: Readonly<Record<string, string>>
  readonly accessKeyIds: readonly string[]
}

/** An access key of a user. */
export interface AccessKeyRecord {
  readonly accessKeyId: string
  readonly userName: string
  readonly userId: string
  readonly created: number
  /** Hex of the sealed secret. */
  readonly sealed: string
}

/** A record of a branch key store. */
export interface BranchKeyRecord {
  readonly attributes: Readonly<Record<string, string>>
  /** Hex of the wrapped key. */
  readonly enc: string
}

/** Records by table. */
export interface Records {
  readonly key: KeyRecord
  readonly material: MaterialRecord
  readonly import: WrappingKeyRecord
  readonly alias: AliasRecord
  readonly keystore: KeyStoreRecord | ExternalKeyRecord
  readonly meta: ScopeRecord | RootRecord | ChainRecord | HeadKeyRecord
  readonly policy: PolicyRecord
  readonly grant: GrantRecord
  readonly retiring: RetiringRecord
  readonly identity: UserRecord | AccessKeyRecord
  readonly usage: UsageRecord
  readonly due: DueRecord
  readonly 'branch-key': BranchKeyRecord
}
