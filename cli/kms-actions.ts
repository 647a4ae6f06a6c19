import { actionCommand, type ActionRow, type Input, type MemberOption } from './action-command.ts'
import { countUpTo } from './arguments.ts'
import { jsonObject, structures, texts } from './aws-values.ts'
import type { CommandRow } from './command.ts'
import { withKms, type KmsOptions } from './service.ts'

const KEY = { member: 'KeyId' } as const
const ALIAS: MemberOption = { flags: '--alias-name <alias>', text: 'the alias: alias/…', isRequired: true }
const POLICY_NAME: MemberOption = { flags: '--policy-name <name>', text: 'default is the only one there is' }
const PRINCIPAL = 'ARN of a user, role or account'
const GRANT_ID: MemberOption = { flags: '--grant-id <id>', text: 'the grant' }
const BYPASS: MemberOption = {
  flags: '--bypass-policy-lockout-safety-check',
  text: 'take a policy under which the next one cannot be put',
}

/** Of create-key as well. */
export const KEY_POLICY: MemberOption = {
  flags: '--policy <policy>',
  text: 'the policy in JSON, or file://… for one in a file',
  takesFile: true,
}
export const KEY_TAGS: MemberOption = {
  flags: '--tags <tags...>',
  text: 'tags, each TagKey=…,TagValue=…, or a JSON list',
  parse: structures('TagKey', 'TagValue'),
}

/** `name text`, of commands that take a key and nothing else. */
const OF_A_KEY: readonly (readonly [name: string, text: string])[] = [
  ['enable-key', 'let a key be used again'],
  ['disable-key', 'let a key not be used until it is enabled'],
  ['cancel-key-deletion', 'keep a key after all; it is disabled then'],
  ['disable-key-rotation', 'end the automatic rotation of a key'],
  ['get-key-rotation-status', 'show whether and when a key gets new material by itself'],
  ['rotate-key-on-demand', 'give a key new material now; the old one still decrypts'],
  ['list-resource-tags', 'list the tags of a key'],
  ['get-key-last-usage', 'show what a key was last used for'],
  ['get-public-key', 'show the public key of an asymmetric key'],
  ['list-key-policies', 'list the names of the policies of a key'],
]

const ROWS: readonly ActionRow[] = [
  ...OF_A_KEY.map(([name, text]): ActionRow => {
    return { name, text, key: KEY, examples: [{ text: 'By its alias.', line: `waxseal kms ${name} alias/payroll` }] }
  }),
  {
    name: 'schedule-key-deletion',
    text: 'end a key after a waiting period: nothing that was encrypted under it can be decrypted then',
    key: KEY,
    options: [
      {
        flags: '--pending-window-in-days <days>',
        text: 'the period, 7 to 30 (default: 30)',
        parse: countUpTo(365),
      },
    ],
    examples: [
      {
        text: 'In a week.',
        line: 'waxseal kms schedule-key-deletion alias/payroll --pending-window-in-days 7',
      },
    ],
  },
  {
    name: 'enable-key-rotation',
    text: 'give a key new material at intervals, or change the interval',
    key: KEY,
    options: [
      {
        flags: '--rotation-period-in-days <days>',
        text: 'the interval, 90 to 2560 (default: 365)',
        parse: countUpTo(10_000),
      },
    ],
    examples: [
      { text: 'Every half year.', line: 'waxseal kms enable-key-rotation alias/payroll --rotation-period-in-days 180' },
    ],
  },
  {
    name: 'list-key-rotations',
    text: 'list the rotations of a key',
    key: KEY,
    options: [
      {
        flags: '--include-key-material <which>',
        text: 'whether the first and waiting materials are listed too',
        choices: ['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY'],
      },
    ],
    examples: [{ text: 'All.', line: 'waxseal kms list-key-rotations alias/payroll' }],
  },
  {
    name: 'list-aliases',
    text: 'list the aliases, of all keys or one',
    key: { ...KEY, isOptional: true },
    examples: [{ text: 'Their names.', line: "waxseal kms list-aliases | jq -r '.Aliases[].AliasName'" }],
  },
  {
    name: 'update-alias',
    text: 'let an alias name another key',
    key: { member: 'TargetKeyId' },
    options: [ALIAS],
    examples: [{ text: 'A new key.', line: 'waxseal kms update-alias --alias-name alias/payroll "$KEY"' }],
  },
  {
    name: 'delete-alias',
    text: 'take an alias away; its key stays',
    options: [ALIAS],
    examples: [{ text: 'By its name.', line: 'waxseal kms delete-alias --alias-name alias/payroll' }],
  },
  {
    name: 'update-key-description',
    text: 'say anew what a key is for',
    key: KEY,
    options: [{ flags: '--description <text>', text: 'the text', isRequired: true }],
    examples: [
      { text: 'By its alias.', line: "waxseal kms update-key-description alias/payroll --description 'salaries'" },
    ],
  },
  {
    name: 'put-key-policy',
    text: 'replace the policy of a key',
    key: KEY,
    options: [{ ...KEY_POLICY, isRequired: true }, POLICY_NAME, BYPASS],
    examples: [{ text: 'From a file.', line: 'waxseal kms put-key-policy alias/payroll --policy file://policy.json' }],
  },
  {
    name: 'get-key-policy',
    text: 'show the policy of a key',
    key: KEY,
    options: [POLICY_NAME],
    examples: [{ text: 'To a file.', line: 'waxseal kms get-key-policy alias/payroll | jq -r .Policy > policy.json' }],
  },
  {
    name: 'tag-resource',
    text: 'set tags of a key',
    key: KEY,
    options: [{ ...KEY_TAGS, isRequired: true }],
    examples: [
      { text: 'One tag.', line: 'waxseal kms tag-resource alias/payroll --tags TagKey=team,TagValue=payroll' },
    ],
  },
  {
    name: 'untag-resource',
    text: 'take tags from a key',
    key: KEY,
    options: [{ flags: '--tag-keys <keys...>', text: 'the keys of the tags', parse: texts, isRequired: true }],
    examples: [{ text: 'One tag.', line: 'waxseal kms untag-resource alias/payroll --tag-keys team' }],
  },
  {
    name: 'create-grant',
    text: 'let somebody use a key for some operations',
    key: KEY,
    options: [
      { flags: '--grantee-principal <arn>', text: `who may: ${PRINCIPAL}`, isRequired: true },
      { flags: '--retiring-principal <arn>', text: `who may end it: ${PRINCIPAL}` },
      { flags: '--operations <operations...>', text: 'what: Decrypt, …', parse: texts, isRequired: true },
      {
        flags: '--constraints <json>',
        text: 'the encryption context that it holds for: {"EncryptionContextSubset": {…}} or {"EncryptionContextEquals": {…}}',
        parse: jsonObject,
      },
      { flags: '--name <name>', text: 'a name: the same grant under the same name is made once' },
    ],
    examples: [
      {
        text: 'Decryption for one user.',
        line: 'waxseal kms create-grant alias/payroll --grantee-principal arn:aws:iam::000000000000:user/alice --operations Decrypt',
      },
    ],
  },
  {
    name: 'list-grants',
    text: 'list the grants of a key',
    key: KEY,
    options: [GRANT_ID, { flags: '--grantee-principal <arn>', text: 'only grants to this one' }],
    examples: [{ text: 'All of a key.', line: 'waxseal kms list-grants alias/payroll' }],
  },
  {
    name: 'revoke-grant',
    text: 'end a grant, at once',
    key: KEY,
    options: [{ ...GRANT_ID, isRequired: true }],
    examples: [{ text: 'By its id.', line: 'waxseal kms revoke-grant alias/payroll --grant-id "$GRANT"' }],
  },
  {
    name: 'retire-grant',
    text: 'give up a grant',
    key: { ...KEY, isOptional: true },
    options: [GRANT_ID, { flags: '--grant-token <token>', text: 'the grant, instead of key and id' }],
    examples: [{ text: 'By its id.', line: 'waxseal kms retire-grant "$KEY_ARN" --grant-id "$GRANT"' }],
  },
]

/** Commands that are one action of the API each. */
export const KMS_ACTION_COMMANDS: readonly CommandRow[] = ROWS.map((row) => actionCommand(row, callKms))

/** Actions that take an alias themselves; the others take an id or ARN only, and their commands an alias all the same. */
const TAKES_ALIAS: readonly string[] = ['DescribeKey', 'GetPublicKey', 'GetKeyLastUsage']

async function callKms(options: KmsOptions, action: string, input: Input): Promise<unknown> {
  return withKms(options, async ({ engine }) => {
    const kms: { call(action: string, input: object): Promise<unknown> } = engine
    const named = { ...input }
    for (const member of ['KeyId', 'TargetKeyId'] as const) {
      const key = named[member]
      if (typeof key !== 'string' || !/^(?:arn:[^:]*:kms:[^:]*:[^:]*:)?alias\//.test(key)) continue
      if (!TAKES_ALIAS.includes(action))
        named[member] = (await engine.call('DescribeKey', { KeyId: key })).KeyMetadata.Arn
    }
    return action.startsWith('List')
      ? allPages((Marker) => kms.call(action, { ...named, Marker }))
      : kms.call(action, named)
  })
}

/** One answer of all pages, as the AWS CLI makes it. */
async function allPages(load: (marker: string | undefined) => Promise<unknown>): Promise<unknown> {
  const merged: Record<string, unknown[]> = {}
  for (let marker: string | undefined; ;) {
    const page = (await load(marker)) as { readonly NextMarker?: string }
    for (const [name, value] of Object.entries(page)) {
      if (Array.isArray(value)) merged[name] = [...(merged[name] ?? []), ...(value as unknown[])]
    }
    marker = page.NextMarker
    if (marker === undefined) return merged
  }
}
