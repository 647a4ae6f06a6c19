import { FormatError } from '../../bindings/errors.ts'
import { fromBase64, toBase64 } from '../base64.ts'
import { KmsError } from '../errors.ts'
import { AwsApi, type AwsApiOptions, type AwsService } from '../providers/aws-api.ts'
import type { BranchKeyItem, BranchKeyItems, BranchKeyPut } from './branch-key-items.ts'
import { randomUuid } from './uuid.ts'

export type { AwsCredentials } from '../providers/aws-sign.ts'
export type { BranchKeyItem, BranchKeyItems, BranchKeyPut } from './branch-key-items.ts'

/** Options of {@link dynamoDbBranchKeyItems}; all but `table` are as those of `awsKms`. */
export interface DynamoDbBranchKeyItemsOptions extends AwsApiOptions {
  /** Name of the table: 3 to 255 of A–Z, a–z, 0–9, `_`, `.` and `-`. */
  readonly table: string
}

/** The records of a branch key store in a table. */
export interface DynamoDbBranchKeyItems extends BranchKeyItems {
  /**
   * Makes the table, or finds that there is one with the right keys (CreateKeyStore); answers its ARN. The table may
   * need some seconds until it is active.
   *
   * @throws FormatError if a table of this name has other keys
   */
  createTable(signal?: AbortSignal): Promise<string>
}

const DYNAMODB: AwsService = {
  title: 'DynamoDB',
  name: 'dynamodb',
  target: 'DynamoDB_20120810',
  contentType: 'application/x-amz-json-1.0',
  judge(name, { CancellationReasons }) {
    if (name !== 'TransactionCanceledException' || !Array.isArray(CancellationReasons)) return 'throw'
    const codes = (CancellationReasons as readonly { readonly Code?: unknown }[]).map(({ Code }) => Code)
    if (codes.includes('ConditionalCheckFailed')) return 'answer'
    return codes.some((code) => RETRIED.has(String(code))) ? 'retry' : 'throw'
  },
}

/** Of the reasons to cancel a transaction those that go by. */
const RETRIED = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])

/** The key schema of the specification (#keyschema). */
const KEY_SCHEMA = [
  { AttributeName: 'branch-key-id', KeyType: 'HASH' },
  { AttributeName: 'type', KeyType: 'RANGE' },
]
const ATTRIBUTES = KEY_SCHEMA.map(({ AttributeName }) => ({ AttributeName, AttributeType: 'S' }))

/** The one attribute that is a number. */
const NUMBER = 'hierarchy-version'

type AttributeValue = Readonly<Partial<Record<'S' | 'N' | 'B', unknown>>>
type Attributes = Readonly<Record<string, AttributeValue>>

/**
 * The records of a branch key store in a table of DynamoDB, over `fetch` with Signature Version 4, as the AWS Encryption
 * SDKs lay them out and share them. Reads are strongly consistent, and a change is one transaction.
 *
 * Calls reject with a KmsError named as DynamoDB names its exception, or `KmsUnreachableException` if there is no
 * answer; and with `signal.reason` when aborted.
 * Source: aws-encryption-sdk-specification, framework/branch-key-store.md.
 *
 * @throws TypeError or RangeError for options that are not in their form
 */
export function dynamoDbBranchKeyItems(options: DynamoDbBranchKeyItemsOptions): DynamoDbBranchKeyItems {
  const { table, ...others } = options
  if (typeof table !== 'string' || !/^[\w.-]{3,255}$/.test(table)) throw new RangeError('table is not the name of one')
  const api = new AwsApi(others, DYNAMODB)
  return {
    get: (branchKeyId, type, signal) => getItem(api, table, { branchKeyId, type }, signal),
    put: (puts, signal) => putItems(api, table, puts, signal),
    createTable: (signal) => createTable(api, table, signal),
  }
}

async function getItem(
  api: AwsApi,
  table: string,
  { branchKeyId, type }: { readonly branchKeyId: string; readonly type: string },
  signal: AbortSignal | undefined,
): Promise<BranchKeyItem | undefined> {
  const Key = { 'branch-key-id': { S: branchKeyId }, type: { S: type } }
  const { Item } = await api.call('GetItem', { TableName: table, Key, ConsistentRead: true }, signal)
  return Item === undefined ? undefined : readItem(Object(Item) as Attributes)
}

async function putItems(
  api: AwsApi,
  table: string,
  puts: readonly BranchKeyPut[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const TransactItems = puts.map(({ item, replaces }) => ({
    Put: {
      TableName: table,
      Item: writeItem(item),
      ...(replaces === undefined
        ? { ConditionExpression: 'attribute_not_exists(#id)' }
        : {
            ConditionExpression: 'attribute_exists(#id) AND enc = :encOld',
            ExpressionAttributeValues: { ':encOld': { B: toBase64(replaces) } },
          }),
      ExpressionAttributeNames: { '#id': 'branch-key-id' },
    },
  }))
  // When an answer is lost, what is sent again is the same request and not a second one.
  const request = { TransactItems, ClientRequestToken: randomUuid() }
  const { CancellationReasons } = await api.call('TransactWriteItems', request, signal)
  return CancellationReasons === undefined
}

async function createTable(api: AwsApi, table: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    const { Table } = await api.call('DescribeTable', { TableName: table }, signal)
    const { KeySchema, AttributeDefinitions, TableArn } = Object(Table) as Readonly<Record<string, unknown>>
    if (holdsAll(KeySchema, KEY_SCHEMA, 2) && holdsAll(AttributeDefinitions, ATTRIBUTES)) return textOf(TableArn)
  } catch (error) {
    if (!(error instanceof KmsError) || error.name !== 'ResourceNotFoundException') throw error
    const request = {
      TableName: table,
      KeySchema: KEY_SCHEMA,
      AttributeDefinitions: ATTRIBUTES,
      BillingMode: 'PAY_PER_REQUEST',
    }
    const { TableDescription } = await api.call('CreateTable', request, signal)
    return textOf((Object(TableDescription) as { readonly TableArn?: unknown }).TableArn)
  }
  throw new FormatError(`table ${table} has other keys than branch-key-id and type`)
}

/** Whether a list has all of these members, and as many as are given; the order does not matter. */
function holdsAll(list: unknown, expected: readonly object[], length?: number): boolean {
  if (!Array.isArray(list) || (length !== undefined && list.length !== length)) return false
  return expected.every((member) =>
    list.some((found) =>
      Object.entries(member).every(([name, value]) => (Object(found) as Record<string, unknown>)[name] === value),
    ),
  )
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new FormatError('DynamoDB answered without the ARN of the table')
  return value
}

function writeItem({ attributes, enc }: BranchKeyItem): Attributes {
  const entries = Object.entries(attributes).map(([name, value]): readonly [string, AttributeValue] => [
    name,
    name === NUMBER ? { N: value } : { S: value },
  ])
  return { ...Object.fromEntries(entries), enc: { B: toBase64(enc) } }
}

/** Every attribute is authenticated as a string, so that it must be one. */
function readItem(item: Attributes): BranchKeyItem {
  const { enc, ...others } = item
  const entries = Object.entries(others).map(([name, value]): readonly [string, string] => {
    const text = name === NUMBER ? value.N : value.S
    if (typeof text !== 'string') throw new FormatError(`the attribute ${name} of a branch key is not of its type`)
    return [name, text]
  })
  const bytes = typeof enc?.B === 'string' ? fromBase64(enc.B) : undefined
  if (bytes === undefined) throw new FormatError('the record of a branch key has no enc')
  return { attributes: Object.fromEntries(entries), enc: bytes }
}
