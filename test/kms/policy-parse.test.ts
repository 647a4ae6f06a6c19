import { describe, expect, it } from 'vitest'
import { defaultKeyPolicy, evaluate, namedPrincipals, parsePolicy, type PolicyFault } from '../../kms/policy/index.ts'
import { ALICE, policyText, refuses, request, root, statement, type StatementJson } from './policy-setup.ts'

const VALID = policyText(statement())

describe('a document is refused', () => {
  it.each<[string, PolicyFault, RegExp]>([
    ['', 'syntax', /no JSON value, at 0/],
    ['[]', 'syntax', /no object/],
    ['null', 'syntax', /no object/],
    ['"*"', 'syntax', /no object/],
    [`${VALID} x`, 'syntax', /text after the document/],
    [VALID.slice(0, -1), 'syntax', /a comma or \} is missing/],
    [VALID.replace('"Allow"', "'Allow'"), 'syntax', /no JSON value/],
    [VALID.replace('"Allow"', '"Allow'), 'syntax', /a comma or \} is missing|does not end/],
    [VALID.replace('"Allow"', '"Allow\n"'), 'syntax', /does not end/],
    [VALID.replace('"Allow"', '"All\\ow"'), 'syntax', /an escape that JSON does not have/],
    [VALID.replace('"Allow"', '"\\u00"'), 'syntax', /four hexadecimal digits/],
    [VALID.replace('"Allow"', '"\\ud800"'), 'syntax', /lone surrogate/],
    [VALID.replace('"Allow"', '01'), 'syntax', /a comma or \} is missing/],
    [VALID.replace('"Effect":"Allow"', '"Effect":"Deny","Effect":"Allow"'), 'syntax', /"Effect" comes twice/],
    [VALID.replace('"Effect":"Allow"', '"Effect":"Allow",'), 'syntax', /a name is missing/],
    [VALID.replace('"Effect":"Allow"', '"Effect" "Allow"'), 'syntax', /a colon is missing/],
    [VALID.replace('"Allow"', '"Allow"\u0000'), 'syntax', /character that policies cannot have/],
    [VALID.replace('"Allow"', '"Allow\u0100"'), 'syntax', /character that policies cannot have/],
    ['{"Version":"2012-10-17","Statement":[]}', 'element', /at least one statement/],
    ['{"Version":"2012-10-17"}', 'element', /at least one statement/],
    ['{"Version":"2012-10-17","Statement":["x"]}', 'element', /objects/],
    [VALID.replace('2012-10-17', '2026-01-01'), 'element', /Version must be one of/],
    [VALID.replace('"2012-10-17"', 'null'), 'element', /Version must be one of/],
    [VALID.replace('"Version"', '"version"'), 'element', /no element 'version'/],
    [VALID.replace('"Version"', '"Extra":1,"Version"'), 'element', /no element 'Extra'/],
    [VALID.replace('"Version"', '"Id":1,"Version"'), 'element', /Id must be a string/],
  ])('%j: %s', (text, reason, message) => refuses(text, reason, message))

  it('of more than 32,768 bytes', () => {
    const fill = (bytes: number, character = ' '): string => VALID + character.repeat(bytes - VALID.length)
    expect(parsePolicy(fill(32_768), 'key').statements).toHaveLength(1)
    refuses(fill(32_769), 'too-large', /32768 bytes/)
    const wide = policyText(statement({ Sid: 'é'.repeat(16_384) }))
    expect(wide.length).toBeLessThan(32_768)
    refuses(wide, 'too-large', /32768 bytes/)
    refuses('['.repeat(10_000_000), 'too-large', /32768 bytes/)
  })
})

describe('a statement is refused', () => {
  it.each<[StatementJson, PolicyFault, RegExp]>([
    [{ effect: 'Deny' }, 'element', /no element 'effect'/],
    [{ Effect: undefined }, 'element', /Effect must be/],
    [{ Effect: 'allow' }, 'element', /Effect must be/],
    [{ Sid: 1 }, 'element', /Sid must be a string/],
    [{ Principal: undefined }, 'principal', /no principal/],
    [{ Principal: 'arn:aws:iam::111122223333:root' }, 'principal', /invalid principals/],
    [{ Principal: {} }, 'principal', /invalid principals/],
    [{ Principal: { AWS: [] } }, 'element', /list of Principal is empty/],
    [{ Principal: { AWS: [1] } }, 'element', /strings/],
    [{ Principal: { CanonicalUser: 'x' } }, 'principal', /invalid principals/],
    [{ Principal: { aws: '*' } }, 'principal', /invalid principals/],
    [{ Principal: { Service: '*' } }, 'principal', /invalid principals/],
    [{ Principal: { AWS: 'arn:aws:iam::111122223333:user/*' } }, 'principal', /invalid principals/],
    [{ Principal: { AWS: 'arn:aws:iam::111122223333:user/a?' } }, 'principal', /invalid principals/],
    [{ Principal: { AWS: 'arn:aws:iam::111122223333:group/admins' } }, 'principal', /invalid principals/],
    [{ Principal: { AWS: 'arn:aws:iam::11112222333:user/a' } }, 'principal', /invalid principals/],
    [{ Principal: { AWS: 'arn:aws:iam::111122223333:user' } }, 'principal', /invalid principals/],
    [{ Principal: { AWS: '11112222333' } }, 'principal', /invalid principals/],
    [{ Principal: { AWS: 'alice' } }, 'principal', /invalid principals/],
    [{ NotPrincipal: { AWS: '111122223333' } }, 'principal', /both/],
    [{ Principal: undefined, NotPrincipal: { AWS: '111122223333' } }, 'principal', /must be used with Deny/],
    [{ Effect: 'Deny', Principal: undefined, NotPrincipal: '*' }, 'principal', /must not be everyone/],
    [{ Action: [] }, 'element', /list of Action is empty/],
    [{ Action: { kms: '*' } }, 'element', /strings/],
    [{ Action: 'Decrypt' }, 'action', /no action/],
    [{ Action: 'kms:' }, 'action', /no action/],
    [{ Action: 'k*:Decrypt' }, 'action', /no action/],
    [{ Action: 'kms:De crypt' }, 'action', /no action/],
    [{ NotAction: 'kms:Decrypt' }, 'element', /both Action and NotAction/],
    [{ NotResource: '*' }, 'element', /both Resource and NotResource/],
    [{ Resource: 'key/x' }, 'resource', /ARN format/],
    [{ Resource: '' }, 'resource', /ARN format/],
    [{ Resource: 'arn:aws:kms:us-east-1:${aws:PrincipalAccount}:key/x' }, 'resource', /variable/],
    [{ Resource: 'arn:aws:kms:*:*:key/${aws:username' }, 'element', /does not end/],
    [{ Resource: 'arn:aws:kms:*:*:key/${}' }, 'element', /no policy variable/],
    [{ Resource: 'arn:aws:kms:*:*:key/${aws:TagKeys}' }, 'element', /no policy variable/],
    [{ Resource: 'arn:aws:kms:*:*:key/${aws:Nothing}' }, 'element', /no policy variable/],
    [{ Condition: [] }, 'condition', /object of operators/],
    [{ Condition: 'x' }, 'condition', /object of operators/],
    [{ Condition: null }, 'condition', /object of operators/],
    [{ Condition: { StringEquals: {} } }, 'condition', /one condition key or more/],
    [{ Condition: { StringEquals: { 'aws:UserAgent': [] } } }, 'element', /is empty/],
    [{ Condition: { StringEquals: { 'aws:UserAgent': null } } }, 'element', /strings, numbers or booleans/],
    [{ Condition: { StringEquals: { 'aws:UserAgent': [['x']] } } }, 'element', /strings, numbers or booleans/],
    [{ Condition: { StringEquals: { 'aws:UserAgent': 'x', 'aws:useragent': 'x' } } }, 'condition', /twice/],
    [{ Condition: { stringequals: { 'aws:UserAgent': 'x' } } }, 'condition', /no condition operator/],
    [{ Condition: { StringMatches: { 'aws:UserAgent': 'x' } } }, 'condition', /no condition operator/],
    [{ Condition: { 'ForSomeValues:StringEquals': { 'aws:TagKeys': 'x' } } }, 'condition', /no condition operator/],
    [{ Condition: { 'ForAnyValue:Null': { 'aws:TagKeys': true } } }, 'condition', /no condition operator/],
    [{ Condition: { NullIfExists: { 'aws:TagKeys': true } } }, 'condition', /no condition operator/],
    [{ Condition: { StringEqualsIfExistsIfExists: { 'aws:UserAgent': 'x' } } }, 'condition', /no condition operator/],
    [{ Condition: { constructor: { 'aws:UserAgent': 'x' } } }, 'condition', /no condition operator/],
    [{ Condition: { StringEquals: { 'aws:UserAgents': 'x' } } }, 'condition', /no condition key/],
    [{ Condition: { StringEquals: { 'kms:EncryptionContxt:a': 'x' } } }, 'condition', /no condition key/],
    [{ Condition: { StringEquals: { 'kms:EncryptionContext:': 'x' } } }, 'condition', /no condition key/],
    [{ Condition: { StringEquals: { UserAgent: 'x' } } }, 'condition', /no condition key/],
    [{ Condition: { NumericEquals: { 'aws:EpochTime': 'x' } } }, 'condition', /no number/],
    [{ Condition: { NumericEquals: { 'aws:EpochTime': 1e21 } } }, 'condition', /no number/],
    [{ Condition: { NumericEquals: { 'aws:EpochTime': '1234567890123456' } } }, 'condition', /no number/],
    [{ Condition: { DateLessThan: { 'aws:CurrentTime': '2026-1-1' } } }, 'condition', /no date/],
    [{ Condition: { DateLessThan: { 'aws:CurrentTime': '2026-*' } } }, 'condition', /no date/],
    [{ Condition: { Bool: { 'aws:SecureTransport': 'yes' } } }, 'condition', /no boolean/],
    [{ Condition: { Bool: { 'aws:SecureTransport': '${aws:username}' } } }, 'condition', /no boolean/],
    [{ Condition: { Null: { 'aws:SourceIp': 'maybe' } } }, 'condition', /no boolean/],
    [{ Condition: { BinaryEquals: { 'aws:UserAgent': 'A' } } }, 'condition', /no base64/],
    [{ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/33' } } }, 'condition', /no IP address/],
    [{ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0/8' } } }, 'condition', /no IP address/],
    [{ Condition: { IpAddress: { 'aws:SourceIp': '::/129' } } }, 'condition', /no IP address/],
    [{ Condition: { IpAddress: { 'aws:SourceIp': '10.*' } } }, 'condition', /no IP address/],
    [{ Condition: { ArnLike: { 'aws:PrincipalArn': 'user/alice' } } }, 'condition', /no ARN/],
    [{ Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*' } } }, 'condition', /no ARN/],
  ])('%j: %s', (elements, reason, message) => {
    refuses(policyText(statement(), statement(elements)), reason, message)
    refuses(policyText(statement(elements)), reason, /\(Statement 1\)$/)
  })

  it.each(['kms:EncryptionContext:App', 'aws:RequestTag/App'])('with ForAllValues of %s', (key) => {
    const text = policyText(statement({ Condition: { 'ForAllValues:StringEquals': { [key]: 'x' } } }))
    refuses(text, 'overly-permissive', /^OverlyPermissiveCondition: Using the ForAllValues set operator/)
    const any = policyText(statement({ Condition: { 'ForAnyValue:StringEquals': { [key]: 'x' } } }))
    expect(parsePolicy(any, 'key').statements).toHaveLength(1)
  })
})

describe('a Deny must not silently never fire', () => {
  const unfilled = { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } }
  const DENY = { Effect: 'Deny' }

  it.each<[string, StatementJson]>([
    ['Deny', { ...DENY, Condition: unfilled }],
    ['Deny of a foreign key', { ...DENY, Condition: { StringNotEquals: { 's3:prefix': 'x' } } }],
    ['Deny of its absence', { ...DENY, Condition: { Null: { 'aws:TokenIssueTime': 'false' } } }],
    ['Deny with IfExists', { ...DENY, Condition: { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } } }],
    [
      'Deny by a service',
      { ...DENY, Condition: { StringEquals: { 'kms:ViaService': 'ec2.us-east-1.amazonaws.com' } } },
    ],
    ['Deny of a variable', { ...DENY, Condition: { StringEquals: { 'aws:UserAgent': '${aws:SourceVpc}' } } }],
    ['NotPrincipal', { ...DENY, Principal: undefined, NotPrincipal: { AWS: '111122223333' }, Condition: unfilled }],
    ['NotAction', { Action: undefined, NotAction: 'kms:Decrypt', Condition: unfilled }],
    ['NotResource', { Resource: undefined, NotResource: 'arn:aws:kms:*:*:alias/x', Condition: unfilled }],
  ])('%s with a key that is never filled', (_, elements) => {
    refuses(policyText(statement(elements)), 'condition', /this KMS never has a value for it/)
  })

  it.each<[string, StatementJson, PolicyFault, RegExp]>([
    ['without actions', { Action: undefined }, 'action', /must contain actions/],
    ['without resources', { Resource: undefined }, 'resource', /must contain resources/],
    ['of no action', { Action: ['kms:Decrypt', 'kms:Decyrpt'] }, 'action', /no permission 'kms:Decyrpt'/],
    ['of what is an action and no permission', { Action: 'kms:ReEncrypt' }, 'action', /no permission/],
    ['of another service', { Action: 's3:GetObject' }, 'action', /no permission/],
    ['of all but everything', { Action: undefined, NotAction: '*' }, 'action', /denies nothing/],
    ['of all resources but *', { Resource: undefined, NotResource: '*' }, 'resource', /denies nothing/],
    ['of a variable that has no value', { Resource: 'arn:aws:kms:*:*:key/${aws:SourceVpc}' }, 'resource', /variable/],
  ])('%s', (_, elements, reason, message) => {
    refuses(policyText(statement({ ...DENY, ...elements })), reason, message)
  })

  it('nor an exception be none', () => {
    refuses(policyText(statement({ Action: undefined, NotAction: 'kms:Decyrpt' })), 'action', /no permission/)
  })
})

describe('a policy is accepted', () => {
  it.each<[string, StatementJson]>([
    ['an Allow with a key that is never filled', { Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } } }],
    ['an Allow with a key of another service', { Condition: { StringEquals: { 'accounts.google.com:sub': 'x' } } }],
    ['an Allow of an action that may come', { Action: 'kms:Teleport' }],
    ['an Allow without actions', { Action: undefined }],
    ['an Allow without resources', { Resource: undefined }],
    [
      'principals of all kinds',
      {
        Principal: {
          AWS: [
            '*',
            '111122223333',
            'arn:aws:iam::111122223333:root',
            'arn:aws-cn:iam::111122223333:role/service-role/x',
            'arn:aws:sts::111122223333:assumed-role/Admin/session',
            'arn:aws:sts::111122223333:federated-user/bob',
            'AIDACKCEVSQ6C2EXAMPLE',
          ],
          Service: ['logs.us-east-1.amazonaws.com'],
          Federated: 'arn:aws:iam::111122223333:saml-provider/x',
        },
      },
    ],
    ['a Sid with spaces', { Sid: 'Allow access for Key Administrators' }],
    ['a list with the same member twice', { Action: ['kms:Decrypt', 'kms:Decrypt'] }],
    ['escapes', { Sid: 'é \\ "\n\u{1f600}' }],
  ])('%s', (_, elements) => {
    const text = policyText(statement(elements)).replace('\u{1f600}', '\\ud83d\\ude00')
    expect(parsePolicy(text, 'key').text).toBe(text)
  })

  it('with one statement that is not in a list, and white space', () => {
    const text = `\t{ "Statement" :\r\n ${JSON.stringify(statement({ Sid: 'one' }))} }\n`
    expect(parsePolicy(text, 'key').statements.map(({ sid }) => sid)).toEqual(['one'])
  })

  it('and says whom it names', () => {
    const arns = ['arn:aws:iam::111122223333:user/a', 'arn:aws:iam::111122223333:role/b']
    const document = parsePolicy(
      policyText(
        statement({ Principal: { AWS: [...arns, '111122223333'] } }),
        statement({ Effect: 'Deny', Principal: undefined, NotPrincipal: { AWS: arns[0] } }),
      ),
      'key',
    )
    expect(namedPrincipals(document)).toEqual(arns)
  })

  it('that is made by default, as AWS makes it', () => {
    const text = defaultKeyPolicy('aws', '111122223333')
    expect(JSON.parse(text)).toEqual({
      Version: '2012-10-17',
      Id: 'key-default-1',
      Statement: [
        {
          Sid: 'Enable IAM User Permissions',
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::111122223333:root' },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    })
    const document = parsePolicy(text, 'key')
    expect(document.id).toBe('key-default-1')
    expect(evaluate(document, request({ principal: ALICE }))).toBe('delegated')
    expect(evaluate(document, request({ principal: root() }))).toBe('allow')
  })
})

describe('before version 2012-10-17', () => {
  it.each([{ Version: '2008-10-17' }, {}])('a variable is text: %j', (version) => {
    const Condition = { StringLike: { 'aws:UserAgent': '${aws:username}*' } }
    const document = parsePolicy(JSON.stringify({ ...version, Statement: statement({ Condition }) }), 'key')
    const says = (agent: string): string => evaluate(document, request({ context: { 'aws:UserAgent': agent } }))
    expect(says('${aws:username} 1.0')).toBe('allow')
    expect(says('alice')).toBe('implicit-deny')
  })
})

describe('the policy of an identity', () => {
  const own: StatementJson = { Effect: 'Allow', Action: 'kms:*', Resource: '*' }
  const text = (elements: StatementJson): string => policyText({ ...own, ...elements })

  it('is accepted with actions of other services', () => {
    const document = parsePolicy(text({ Action: ['s3:*', 'kms:*'], Sid: 'One1' }), 'identity')
    expect(evaluate(document, request())).toBe('allow')
    expect(parsePolicy(text({ Effect: 'Deny', Action: 's3:*' }), 'identity').statements).toHaveLength(1)
    const allBut = parsePolicy(text({ Action: undefined, NotAction: ['iam:*', 'kms:Put*'] }), 'identity')
    expect(evaluate(allBut, request())).toBe('allow')
    expect(evaluate(allBut, request({ action: 'kms:PutKeyPolicy' }))).toBe('implicit-deny')
  })

  it.each<[string, StatementJson, PolicyFault, RegExp]>([
    ['a principal', { Principal: '*' }, 'principal', /must not name principals/],
    ['no actions', { Action: undefined }, 'action', /must contain actions/],
    ['no resources', { Resource: undefined }, 'resource', /must contain resources/],
    ['a Sid with spaces', { Sid: 'a b' }, 'element', /alpha-numeric/],
    ['a Deny of no action', { Effect: 'Deny', Action: 'kms:Nothing' }, 'action', /no permission/],
  ])('is refused with %s', (_name, elements, reason, message) => {
    refuses(text(elements), reason, message, 'identity')
  })

  it('is refused with an Id, or with one Sid twice', () => {
    refuses(text({}).replace('"Version"', '"Id":"x","Version"'), 'element', /no Id/, 'identity')
    refuses(policyText({ ...own, Sid: 'a' }, { ...own, Sid: 'a' }), 'element', /must be unique/, 'identity')
  })
})
