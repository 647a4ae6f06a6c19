import type { AuditRecord } from './trail.ts'

/** What somebody may want to be told of as it happens. */
export type SignalType = 'rotation' | 'material-expiring' | 'material-expired' | 'key-deleted' | 'pending-deletion-use'

/** Something that happened to a key; the record of it is in the log. */
export interface Signal {
  readonly type: SignalType
  /** The event id of its record. */
  readonly id: string
  /** ISO 8601, in seconds. */
  readonly time: string
  readonly account: string
  readonly region: string
  readonly keyArn: string
  /** Of `pending-deletion-use`: the action that was refused. */
  readonly action?: string
  /** Of `pending-deletion-use`: ARN of who called it. */
  readonly caller?: string
}

/** Told of signals once what they are of is durable. What it throws is ignored, and nothing waits for it. */
export type SignalListener = (signal: Signal) => void

const SERVICE_EVENTS: Readonly<Record<string, SignalType>> = {
  RotateKey: 'rotation',
  DeleteKey: 'key-deleted',
  AnnounceKeyMaterialExpiration: 'material-expiring',
  DeleteExpiredKeyMaterial: 'material-expired',
}

/** Actions that use a key, rather than manage it. */
const USE =
  /^(?:Encrypt|Decrypt|ReEncrypt|Generate|Sign$|Verify|GetPublicKey|DeriveSharedSecret|Encapsulate|Decapsulate)/

/** The signal that a record of the log is, if it is one. */
export function signalOf(record: AuditRecord): Signal | undefined {
  const { eventID: id, eventTime: time, recipientAccountId: account, awsRegion: region } = record
  const pending = usedWhilePending(record)
  if (pending !== undefined) {
    const { eventName: action, userIdentity } = record
    const caller = userIdentity.arn ?? ''
    return { type: 'pending-deletion-use', id, time, account, region, keyArn: pending, action, caller }
  }
  const type = typeOf(record)
  const keyArn = record.resources[0]?.ARN
  return type === undefined || keyArn === undefined ? undefined : { type, id, time, account, region, keyArn }
}

/** The key of an action that was refused since it is pending deletion: of the two of ReEncrypt, the one it says so of. */
function usedWhilePending({ eventName, errorMessage, resources }: AuditRecord): string | undefined {
  if (!USE.test(eventName)) return undefined
  // The text on which alarms of AWS CloudWatch go off.
  return resources.find(({ ARN }) => errorMessage === `${ARN} is pending deletion.`)?.ARN
}

function typeOf({ eventType, eventName, errorCode }: AuditRecord): SignalType | undefined {
  if (eventType === 'AwsServiceEvent') {
    return Object.hasOwn(SERVICE_EVENTS, eventName) ? SERVICE_EVENTS[eventName] : undefined
  }
  return errorCode === undefined && eventName === 'RotateKeyOnDemand' ? 'rotation' : undefined
}

/** The listeners of an engine. */
export class Signals {
  readonly #listeners = new Set<SignalListener>()

  /** Answers how to stop. */
  subscribe(listener: SignalListener): () => void {
    // One function may listen twice, and stops once.
    const own: SignalListener = (signal) => listener(signal)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  emit(signals: readonly Signal[]): void {
    for (const signal of signals) {
      for (const listener of [...this.#listeners]) {
        try {
          listener(signal)
        } catch {
          // A listener's failure is not the KMS's.
        }
      }
    }
  }
}
