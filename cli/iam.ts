import { actionCommand, type ActionRow, type Input, type MemberOption } from './action-command.ts'
import { structures, texts } from './aws-values.ts'
import type { CommandRow } from './command.ts'
import { ACCOUNT_OPTION, withKms, type KmsOptions } from './service.ts'

const USER_NAME: MemberOption = { flags: '--user-name <name>', text: 'the user', isRequired: true }
const POLICY_NAME: MemberOption = { flags: '--policy-name <name>', text: 'the policy', isRequired: true }
const TAGS: MemberOption = {
  flags: '--tags <tags...>',
  text: 'tags, each Key=…,Value=…, or a JSON list',
  parse: structures('Key', 'Value'),
}

const ROWS: readonly ActionRow[] = [
  {
    name: 'create-user',
    text: 'make a user, who may do nothing yet; makes the KMS too when there is none',
    options: [USER_NAME, { flags: '--path <path>', text: 'where the user stands, /…/ (default: /)' }, TAGS],
    examples: [
      { text: 'A user with a tag.', line: 'waxseal iam create-user --user-name alice --tags Key=team,Value=payroll' },
    ],
  },
  {
    name: 'delete-user',
    text: 'delete a user who has no access keys and no policies',
    options: [USER_NAME],
    examples: [{ text: 'The user of the example above.', line: 'waxseal iam delete-user --user-name alice' }],
  },
  {
    name: 'list-users',
    text: 'list the users',
    examples: [{ text: 'Their names.', line: "waxseal iam list-users | jq -r '.Users[].UserName'" }],
  },
  {
    name: 'create-access-key',
    text: 'give a user an access key; its secret is shown this once',
    options: [USER_NAME],
    examples: [{ text: 'Keep it.', line: 'waxseal iam create-access-key --user-name alice > alice.json' }],
  },
  {
    name: 'delete-access-key',
    text: 'end an access key, at once',
    options: [USER_NAME, { flags: '--access-key-id <id>', text: 'the access key', isRequired: true }],
    examples: [
      {
        text: 'By its id.',
        line: 'waxseal iam delete-access-key --user-name alice --access-key-id AKIAEXAMPLEEXAMPLE22',
      },
    ],
  },
  {
    name: 'list-access-keys',
    text: 'list the access keys of a user, without their secrets',
    options: [USER_NAME],
    examples: [{ text: 'Of one user.', line: 'waxseal iam list-access-keys --user-name alice' }],
  },
  {
    name: 'put-user-policy',
    text: 'give a user a policy, or replace the one of that name',
    options: [
      USER_NAME,
      POLICY_NAME,
      {
        flags: '--policy-document <policy>',
        text: 'the policy in JSON, or file://… for one in a file',
        isRequired: true,
        takesFile: true,
      },
    ],
    examples: [
      {
        text: 'A policy in a file.',
        line: 'waxseal iam put-user-policy --user-name alice --policy-name decrypt --policy-document file://policy.json',
      },
    ],
  },
  {
    name: 'get-user-policy',
    text: 'show a policy of a user',
    options: [USER_NAME, POLICY_NAME],
    examples: [{ text: 'By its name.', line: 'waxseal iam get-user-policy --user-name alice --policy-name decrypt' }],
  },
  {
    name: 'delete-user-policy',
    text: 'take a policy from a user',
    options: [USER_NAME, POLICY_NAME],
    examples: [
      { text: 'By its name.', line: 'waxseal iam delete-user-policy --user-name alice --policy-name decrypt' },
    ],
  },
  {
    name: 'list-user-policies',
    text: 'list the names of the policies of a user',
    options: [USER_NAME],
    examples: [{ text: 'Of one user.', line: 'waxseal iam list-user-policies --user-name alice' }],
  },
  {
    name: 'tag-user',
    text: 'set tags of a user, which policies may ask for',
    options: [USER_NAME, { ...TAGS, isRequired: true }],
    examples: [{ text: 'One tag.', line: 'waxseal iam tag-user --user-name alice --tags Key=team,Value=audit' }],
  },
  {
    name: 'untag-user',
    text: 'take tags from a user',
    options: [
      USER_NAME,
      { flags: '--tag-keys <keys...>', text: 'the keys of the tags', parse: texts, isRequired: true },
    ],
    examples: [{ text: 'One tag.', line: 'waxseal iam untag-user --user-name alice --tag-keys team' }],
  },
  {
    name: 'list-user-tags',
    text: 'list the tags of a user',
    options: [USER_NAME],
    examples: [{ text: 'Of one user.', line: 'waxseal iam list-user-tags --user-name alice' }],
  },
]

export const iamRow: CommandRow = {
  name: 'iam',
  text: 'manage the users of the KMS, their access keys and policies',
  details: [
    'Commands, options and JSON answers are those of `aws iam`. They work on the KMS of --kms, also while a server runs ' +
      'on the same directory: it knows at its next request what was changed.',
  ],
  options: [ACCOUNT_OPTION],
  commands: ROWS.map((row) => actionCommand(row, callIam)),
}

async function callIam(options: KmsOptions, action: string, input: Input): Promise<unknown> {
  const answer = await withKms(
    options,
    ({ engine }) => {
      const users: { iam(action: string, input: object): Promise<unknown> } = engine
      return users.iam(action, input)
    },
    { create: action === 'CreateUser' },
  )
  return answer === undefined ? undefined : asAwsPrints(answer)
}

/** IAM counts time in whole seconds, and the AWS CLI shows policies as JSON, not as a text of JSON. */
function asAwsPrints(value: unknown): unknown {
  if (value instanceof Date) return new Date(Math.floor(value.getTime() / 1000) * 1000)
  if (Array.isArray(value)) return value.map(asAwsPrints)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [
    name,
    name === 'PolicyDocument' && typeof member === 'string' ? (JSON.parse(member) as unknown) : asAwsPrints(member),
  ])
  return Object.fromEntries(members)
}
