import { decrypt, encrypt, type Keyring } from 'waxseal'
import { dynamoDbBranchKeyItems } from 'waxseal/kms/dynamodb'
import { hierarchicalKeyring, kmsBranchKeys } from 'waxseal/kms/hierarchical'
import { pattern } from './bytes.ts'
import { equal, isTrue, rejects, sameBytes } from './check.ts'
import { EXPECTED } from './expected.ts'
import { newKms } from './kms.ts'
import { group, type Case } from './runtime.ts'

const CREDENTIALS = { accessKeyId: 'AKIDCONFORMANCE', secretAccessKey: 'a secret of the suite' }

type Item = Readonly<Record<string, { readonly S?: string; readonly N?: string; readonly B?: string }>>

interface Put {
  readonly Item: Item
  readonly ConditionExpression: string
  readonly ExpressionAttributeValues?: { readonly ':encOld': { readonly B: string } }
}

/** As much of a table as the requests need, behind `fetch`; real ones are in other tests. */
function tableBehindFetch(): { readonly fetch: typeof globalThis.fetch; readonly items: Map<string, Item> } {
  const items = new Map<string, Item>()
  const keyOf = (item: Item): string => JSON.stringify([item['branch-key-id']?.S, item.type?.S])
  const answer = (target: string, body: string): object => {
    if (target === 'DynamoDB_20120810.GetItem') {
      const { Key } = JSON.parse(body) as { readonly Key: Item }
      const Item = items.get(keyOf(Key))
      return Item ? { Item } : {}
    }
    equal(target, 'DynamoDB_20120810.TransactWriteItems', 'the action')
    const { TransactItems } = JSON.parse(body) as { readonly TransactItems: readonly { readonly Put: Put }[] }
    const isKept = TransactItems.every(({ Put }) => {
      const known = items.get(keyOf(Put.Item))
      const old = Put.ExpressionAttributeValues?.[':encOld'].B
      equal(Put.ConditionExpression.startsWith('attribute_not_exists'), old === undefined, 'the condition')
      return known?.enc?.B === old
    })
    if (isKept) for (const { Put } of TransactItems) items.set(keyOf(Put.Item), Put.Item)
    const CancellationReasons = [{ Code: 'ConditionalCheckFailed' }]
    return isKept ? {} : { __type: 'x#TransactionCanceledException', CancellationReasons }
  }
  return {
    items,
    fetch: async (input, init) => {
      const request = new Request(input, init)
      const { headers } = request
      isTrue(/^AWS4-HMAC-SHA256 .*\/dynamodb\/aws4_request/.test(headers.get('authorization') ?? ''), 'it is signed')
      const body = answer(headers.get('x-amz-target') ?? '', await request.text())
      return Response.json(body, { status: '__type' in body ? 400 : 200 })
    },
  }
}

async function branchKeys(): Promise<void> {
  const { engine, provider, arn } = await newKms()
  const { fetch, items: table } = tableBehindFetch()
  const items = dynamoDbBranchKeyItems({ table: 'keys', region: 'us-east-1', credentials: CREDENTIALS, fetch })
  const branchKeyStore = kmsBranchKeys({ name: 'conformance', items, provider, keyArn: arn })
  for (const hierarchyVersion of [1, 2] as const) {
    const branchKeyId = `b${hierarchyVersion}`
    const encryptionContext = { tenant: 'ü' }
    await branchKeyStore.createKey({ branchKeyId, encryptionContext, hierarchyVersion })
    const again = await rejects(
      () => branchKeyStore.createKey({ branchKeyId, encryptionContext }),
      EXPECTED.kms,
      'a second key of the name',
    )
    equal(again.name, 'AlreadyExistsException', 'the name of the exception')
    const keyring = (): Keyring => hierarchicalKeyring({ branchKeyStore, branchKeyId, ttl: 60 })
    const message = await encrypt(keyring(), pattern(5))
    await branchKeyStore.versionKey({ branchKeyId })
    sameBytes((await decrypt(keyring(), message)).plaintext, pattern(5), 'the plaintext')
  }
  equal(table.size, 8, 'the records')
  await engine.close()
}

/** The records of branch keys in DynamoDB, over `fetch`. */
export const dynamoDbCases: readonly Case[] = group('DynamoDB', { 'branch keys': branchKeys })
