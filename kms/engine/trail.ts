import type { Scope } from './arn.ts'
import { SHAPES, type ShapeName } from './model.ts'
import type { CallOptions, Principal } from './caller.ts'
import { KmsError } from '../errors.ts'
import type { RecordIds } from './audit-log.ts'
import type { KeyPlace } from './records.ts'

/** A record of the log, in the shape of CloudTrail (record contents, event version 1.08). */
export interface AuditRecord {
  readonly eventVersion: '1.08'
  readonly userIdentity: Readonly<Record<string, string>>
  /** ISO 8601, in seconds. */
  readonly eventTime: string
  readonly eventSource: 'kms.amazonaws.com' | 'iam.amazonaws.com'
  readonly eventName: string
  readonly awsRegion: string
  readonly sourceIPAddress: string
  readonly userAgent: string
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly requestParameters: unknown
  readonly responseElements: unknown
  readonly additionalEventData?: Readonly<Record<string, string>>
  readonly requestID?: string
  readonly eventID: string
  readonly readOnly: boolean
  readonly resources: readonly { readonly accountId: string; readonly type: string; readonly ARN: string }[]
  readonly eventType: 'AwsApiCall' | 'AwsServiceEvent'
  readonly managementEvent: true
  readonly recipientAccountId: string
  readonly eventCategory: 'Management'
  readonly serviceEventDetails?: Readonly<Record<string, string>>
}

/** What an action adds to its record, and leaves for after its success. */
export class Trail {
  readonly resources: string[] = []
  readonly additional: Record<string, string> = {}
  /** Rows of the keys whose use this call was. */
  readonly used: Set<string> = new Set<string>()
  /** What the call did in other Regions. */
  readonly forwarded: ForwardedCall[] = []
  /** What the engine did because of it. */
  readonly events: ServiceEvent[] = []

  /** Names a key, once. */
  touch(arn: string): void {
    if (!this.resources.includes(arn)) this.resources.push(arn)
  }
}

/** The part of a call that was done in another Region. */
export interface ForwardedCall {
  readonly scope: Scope
  readonly input: Readonly<Record<string, unknown>>
}

/** A call that is to be recorded. */
export interface RecordedCall {
  readonly action: string
  readonly shape: ShapeName
  readonly isReadOnly: boolean
  readonly caller: Principal
  readonly request: Omit<CallOptions, 'signal' | 'caller' | 'region'>
  readonly scope: Scope
  readonly now: number
  readonly trail: Trail
  /** Undefined if it was not what its shape allows. */
  readonly input: Readonly<Record<string, unknown>> | undefined
  readonly outcome: { readonly output: unknown } | { readonly error: unknown }
}

/** The record of a call, whatever became of it. */
export function callRecord(call: RecordedCall, ids: RecordIds): AuditRecord {
  const { action, caller, request, scope, trail, outcome, isReadOnly } = call
  const isFailure = 'error' in outcome
  return {
    eventVersion: '1.08',
    userIdentity: identityOf(caller, request.accessKeyId),
    eventTime: isoSeconds(call.now),
    eventSource: 'kms.amazonaws.com',
    eventName: action,
    awsRegion: scope.region,
    sourceIPAddress: request.sourceIp ?? 'in-process',
    userAgent: request.userAgent ?? 'waxseal',
    ...(isFailure && failureOf(outcome.error)),
    requestParameters: call.input && Object.keys(call.input).length > 0 ? withoutSecrets(call.shape, call.input) : null,
    responseElements: isFailure || isReadOnly ? null : (answerWithoutSecrets(outcome.output) ?? null),
    ...(Object.keys(trail.additional).length > 0 && { additionalEventData: trail.additional }),
    requestID: request.requestId ?? ids.requestId,
    eventID: ids.eventId,
    readOnly: isReadOnly,
    resources: trail.resources.map((ARN) => resource(scope, ARN)),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: scope.account,
    eventCategory: 'Management',
  }
}

/** The record of what a call did in another Region: there, the service made it, for the caller. */
export function forwardedRecord(call: RecordedCall, { scope, input }: ForwardedCall, ids: RecordIds): AuditRecord {
  const record = callRecord({ ...call, scope, input, trail: new Trail() }, ids)
  return { ...record, userIdentity: { ...record.userIdentity, invokedBy: 'kms.amazonaws.com' } }
}

/** A call that manages the users of the account. */
export interface ManagementCall extends Omit<RecordedCall, 'action' | 'shape' | 'trail' | 'isReadOnly' | 'input'> {
  readonly name: string
  readonly input: object
}

/** The record of such a call, which is made in the process, by the account's root. */
export function managementRecord(call: ManagementCall, ids: RecordIds): AuditRecord {
  const { name, input, ...rest } = call
  const isReadOnly = /^(?:Get|List)/.test(name)
  const base = { ...rest, action: name, shape: 'ListKeysRequest' as const, isReadOnly, trail: new Trail() }
  const record = callRecord({ ...base, input: undefined }, ids)
  return { ...record, eventSource: 'iam.amazonaws.com', requestParameters: answerWithoutSecrets(input) }
}

/** What the engine did by itself. */
export interface ServiceEvent {
  readonly name:
    | 'CreateKey'
    | 'RotateKey'
    | 'DeleteKey'
    | 'AnnounceKeyMaterialExpiration'
    | 'DeleteExpiredKeyMaterial'
    | 'SynchronizeMultiRegionKey'
  readonly scope: Scope
  readonly now: number
  readonly keyId: string
  readonly arn: string
  readonly details?: Readonly<Record<string, string>>
  /** Where a deleted key was. */
  readonly keyStore?: KeyPlace | undefined
}

export function serviceRecord({ name, scope, now, keyId, arn, details }: ServiceEvent, ids: RecordIds): AuditRecord {
  // Between Regions the service calls itself, and so CloudTrail has it as a call.
  const isCall = name === 'SynchronizeMultiRegionKey'
  return {
    eventVersion: '1.08',
    userIdentity: { accountId: scope.account, invokedBy: 'AWS Internal' },
    eventTime: isoSeconds(now),
    eventSource: 'kms.amazonaws.com',
    eventName: name,
    awsRegion: scope.region,
    sourceIPAddress: 'AWS Internal',
    userAgent: 'AWS Internal',
    requestParameters: null,
    responseElements: isCall ? { keyId: arn } : null,
    ...(isCall && { requestID: ids.requestId }),
    eventID: ids.eventId,
    readOnly: false,
    resources: [resource(scope, arn)],
    eventType: isCall ? 'AwsApiCall' : 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: scope.account,
    eventCategory: 'Management',
    ...(!isCall && { serviceEventDetails: { keyId, ...details } }),
  }
}

function resource({ account }: Scope, ARN: string): AuditRecord['resources'][number] {
  return { accountId: account, type: 'AWS::KMS::Key', ARN }
}

let lastSecond = NaN
let lastText = ''

/** Most records are of the same second as the one before. */
function isoSeconds(time: number): string {
  const second = Math.floor(time / 1000)
  if (second !== lastSecond) {
    lastText = new Date(second * 1000).toISOString().replace('.000Z', 'Z')
    lastSecond = second
  }
  return lastText
}

const IDENTITY_TYPES = { Account: 'Root', User: 'IAMUser', Role: 'AssumedRole', Anonymous: 'Unknown' } as const

function identityOf(
  { type, id, arn, account }: Principal,
  accessKeyId: string | undefined,
): AuditRecord['userIdentity'] {
  return {
    type: IDENTITY_TYPES[type],
    principalId: id,
    arn,
    accountId: account,
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(type === 'User' && { userName: arn.slice(arn.lastIndexOf('/') + 1) }),
  }
}

/** Characters. CloudTrail cuts error messages at 1 KB as well. */
const MAX_ERROR_MESSAGE = 1024

function failureOf(error: unknown): { readonly errorCode: string; readonly errorMessage?: string } {
  if (!(error instanceof KmsError)) return { errorCode: 'KMSInternalException' }
  const errorCode = error.name === 'AccessDeniedException' ? 'AccessDenied' : error.name
  const { message } = error
  const errorMessage = message.length > MAX_ERROR_MESSAGE ? `${message.slice(0, MAX_ERROR_MESSAGE)}…` : message
  return { errorCode, ...(errorMessage !== '' && { errorMessage }) }
}

/** A copy of an input without its bytes and secrets, with names as CloudTrail writes them. */
function withoutSecrets(shapeName: ShapeName, value: unknown): unknown {
  const shape = SHAPES[shapeName]
  if (shape.type === 'structure') {
    const copy: Record<string, unknown> = {}
    for (const [name, member] of Object.entries(value as Record<string, unknown>)) {
      const target = shape.fields[name]
      if (target !== undefined && !isKeptOut(target)) copy[lowerCamelCase(name)] = withoutSecrets(target, member)
    }
    return copy
  }
  if (shape.type === 'list') return (value as unknown[]).map((member) => withoutSecrets(shape.of, member))
  return value
}

function isKeptOut(shapeName: ShapeName): boolean {
  const shape = SHAPES[shapeName]
  if (shape.type === 'blob' || shapeName === 'GrantTokenType' || shapeName === 'GrantTokenList') return true
  return shape.type === 'string' && shape.isSecret === true
}

/** What of an answer no record holds, beside bytes. */
const SECRET_ANSWERS: readonly string[] = ['GrantToken', 'SecretAccessKey']

function answerWithoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(answerWithoutSecrets)
  if (value instanceof Date) return value
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(
    ([name, member]) => !(member instanceof Uint8Array) && !SECRET_ANSWERS.includes(name),
  )
  return Object.fromEntries(members.map(([name, member]) => [lowerCamelCase(name), answerWithoutSecrets(member)]))
}

function lowerCamelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
