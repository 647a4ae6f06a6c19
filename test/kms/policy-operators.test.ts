import { describe, expect, it } from 'vitest'
import { BOB, decideBoth, OUTCOMES, user, type RequestOptions } from './policy-setup.ts'

type Row = readonly [operator: string, expected: unknown, actual: string, outcome: keyof typeof OUTCOMES]

/** A condition of one value on a key that the request has. */
function check([operator, expected, actual, outcome]: Row, key = 'aws:UserAgent'): void {
  const found = decideBoth({ [operator]: { [key]: expected } }, { context: { [key]: actual } })
  expect(found).toEqual(OUTCOMES[outcome])
}

describe('string operators', () => {
  it.each<Row>([
    ['StringEquals', 'curl', 'curl', 'yes'],
    ['StringEquals', 'curl', 'Curl', 'no'],
    ['StringEquals', 'curl', 'curl ', 'no'],
    ['StringEquals', 'cu*l', 'curl', 'no'],
    ['StringEquals', 'cu*l', 'cu*l', 'yes'],
    ['StringEquals', ['wget', 'curl'], 'curl', 'yes'],
    ['StringEquals', '', '', 'yes'],
    ['StringEquals', 5, '5', 'yes'],
    ['StringEquals', true, 'true', 'yes'],
    ['StringNotEquals', 'curl', 'curl', 'no'],
    ['StringNotEquals', 'curl', 'Curl', 'yes'],
    ['StringNotEquals', ['wget', 'curl'], 'curl', 'no'],
    ['StringNotEquals', ['wget', 'curl'], 'fetch', 'yes'],
    ['StringEqualsIgnoreCase', 'cURL', 'Curl', 'yes'],
    ['StringEqualsIgnoreCase', 'cURL', 'curly', 'no'],
    ['StringEqualsIgnoreCase', 'GRÖßE', 'größe', 'yes'],
    ['StringNotEqualsIgnoreCase', 'cURL', 'Curl', 'no'],
    ['StringNotEqualsIgnoreCase', 'cURL', 'wget', 'yes'],
    ['StringLike', 'cu*l', 'curl', 'yes'],
    ['StringLike', 'cu*l', 'cul', 'yes'],
    ['StringLike', 'cu?l', 'curl', 'yes'],
    ['StringLike', 'cu?l', 'cul', 'no'],
    ['StringLike', 'cu*l', 'Curl', 'no'],
    ['StringLike', '*', '', 'yes'],
    ['StringLike', 'a${*}c', 'abc', 'no'],
    ['StringLike', 'a${*}c', 'a*c', 'yes'],
    ['StringLike', 'a${?}c', 'a?c', 'yes'],
    ['StringLike', 'a${$}{c}', 'a${c}', 'yes'],
    ['StringEquals', 'a${*}c', 'a*c', 'yes'],
    ['StringNotLike', 'cu*l', 'curl', 'no'],
    ['StringNotLike', ['cu*l', 'w*'], 'fetch', 'yes'],
  ])('%s %j of %j: %s', (...row) => check(row))
})

describe('numeric operators', () => {
  it.each<Row>([
    ['NumericEquals', '10', '10', 'yes'],
    ['NumericEquals', 10, '10.0', 'yes'],
    ['NumericEquals', '10', '11', 'no'],
    ['NumericNotEquals', '10', '10', 'no'],
    ['NumericNotEquals', '10', '11', 'yes'],
    ['NumericNotEquals', ['10', '11'], '11', 'no'],
    ['NumericLessThan', '10', '9.5', 'yes'],
    ['NumericLessThan', '10', '10', 'no'],
    ['NumericLessThan', '-1', '-2', 'yes'],
    ['NumericLessThanEquals', '10', '10', 'yes'],
    ['NumericLessThanEquals', '10', '10.1', 'no'],
    ['NumericGreaterThan', '9', '10', 'yes'],
    ['NumericGreaterThan', '10', '10', 'no'],
    ['NumericGreaterThanEquals', '10', '10', 'yes'],
    ['NumericGreaterThanEquals', '10', '9', 'no'],
    ['NumericEquals', '10', 'ten', 'unsure'],
    ['NumericNotEquals', '10', '', 'unsure'],
    ['NumericLessThan', '10', '1e1', 'unsure'],
    ['NumericEquals', '1', '1234567890123456', 'unsure'],
  ])('%s %j of %j: %s', (...row) => check(row))
})

describe('date operators', () => {
  it.each<Row>([
    ['DateEquals', '2026-11-26T20:00:00Z', '2026-11-26T21:00:00+01:00', 'yes'],
    ['DateEquals', '2026-11-26T20:00:00Z', '2026-11-26T20:00:00.000Z', 'yes'],
    ['DateEquals', '2026-11-26T20:00Z', '1795723200', 'yes'],
    ['DateEquals', '2026-11-26', '2026-11-26T00:00:00-00:00', 'yes'],
    ['DateEquals', '2026', '2026-01-01T00:00:00Z', 'yes'],
    ['DateEquals', '2026-02', '2026-02-01T00:00:00Z', 'yes'],
    ['DateEquals', '2026', '2026-01-01T00:00:01Z', 'no'],
    ['DateNotEquals', '2026', '2026-01-01T00:00:00Z', 'no'],
    ['DateNotEquals', '2026', '2027', 'yes'],
    ['DateLessThan', '2026', '2025-12-31T23:59:59.999Z', 'yes'],
    ['DateLessThan', '2026', '2026', 'no'],
    ['DateLessThanEquals', '2026', '2026', 'yes'],
    ['DateGreaterThan', '1969-12-31', '0.5', 'yes'],
    ['DateGreaterThan', '2026', '2026', 'no'],
    ['DateGreaterThanEquals', 1700000000, '1700000000', 'yes'],
    ['DateGreaterThanEquals', '2026', '2025', 'no'],
    ['DateEquals', '2026', '2026-02-30', 'unsure'],
    ['DateEquals', '2026', '2026-13-01', 'unsure'],
    ['DateEquals', '2026', '2026-01-01T24:00:00Z', 'unsure'],
    ['DateEquals', '2026', '2026-01-01T00:00:00', 'unsure'],
    ['DateNotEquals', '2026', 'tomorrow', 'unsure'],
  ])('%s %j of %j: %s', (...row) => check(row))
})

describe('boolean and binary operators', () => {
  it.each<Row>([
    ['Bool', 'true', 'true', 'yes'],
    ['Bool', true, 'true', 'yes'],
    ['Bool', 'True', 'true', 'yes'],
    ['Bool', 'false', 'true', 'no'],
    ['Bool', ['true', 'false'], 'false', 'yes'],
    ['Bool', 'true', '1', 'unsure'],
    ['BinaryEquals', 'AAEC', 'AAEC', 'yes'],
    ['BinaryEquals', 'AAEC', 'AAED', 'no'],
    ['BinaryEquals', 'AAE=', 'AAF=', 'unsure'],
    ['BinaryEquals', 'AAEC', '?', 'unsure'],
  ])('%s %j of %j: %s', (...row) => check(row))
})

describe('IP address operators', () => {
  it.each<Row>([
    ['IpAddress', '203.0.113.0/24', '203.0.113.255', 'yes'],
    ['IpAddress', '203.0.113.7/24', '203.0.113.255', 'yes'],
    ['IpAddress', '203.0.113.0/24', '203.0.114.0', 'no'],
    ['IpAddress', '203.0.113.0', '203.0.113.0', 'yes'],
    ['IpAddress', '203.0.113.0', '203.0.113.1', 'no'],
    ['IpAddress', '203.0.113.128/25', '203.0.113.127', 'no'],
    ['IpAddress', '0.0.0.0/0', '255.1.2.3', 'yes'],
    ['IpAddress', '0.0.0.0/0', '::1', 'no'],
    ['IpAddress', '::/0', '127.0.0.1', 'no'],
    ['IpAddress', '2001:DB8:1234:5678::/64', '2001:db8:1234:5678:ffff::1', 'yes'],
    ['IpAddress', '2001:DB8:1234:5678::/64', '2001:db8:1234:5679::1', 'no'],
    ['IpAddress', '2001:db8::/33', '2001:db8:8000::', 'no'],
    ['IpAddress', '203.0.113.0/24', '::ffff:203.0.113.9', 'yes'],
    ['IpAddress', '203.0.113.0/24', '::ffff:cb00:7109', 'yes'],
    ['IpAddress', '::ffff:203.0.113.0/120', '203.0.113.9', 'yes'],
    ['IpAddress', '::ffff:203.0.113.0/120', '203.0.114.9', 'no'],
    ['IpAddress', ['10.0.0.0/8', '192.168.0.0/16'], '192.168.1.1', 'yes'],
    ['NotIpAddress', '203.0.113.0/24', '203.0.113.1', 'no'],
    ['NotIpAddress', '203.0.113.0/24', '203.0.112.1', 'yes'],
    ['NotIpAddress', ['10.0.0.0/8', '192.168.0.0/16'], '10.1.1.1', 'no'],
    ['IpAddress', '203.0.113.0/24', '203.0.113.01', 'unsure'],
    ['IpAddress', '203.0.113.0/24', '203.0.113', 'unsure'],
    ['IpAddress', '203.0.113.0/24', '1::2::3', 'unsure'],
    ['IpAddress', '::/0', '1:2:3:4:5:6:7', 'unsure'],
    ['IpAddress', '::/0', '1:2:3:4:5:6:7:8:9', 'unsure'],
    ['NotIpAddress', '203.0.113.0/24', 'unix', 'unsure'],
  ])('%s %j of %j: %s', (...row) => check(row, 'aws:SourceIp'))
})

describe('ARN operators', () => {
  const ROLE = 'arn:aws:iam::111122223333:role/app/Admin'

  it.each<Row>([
    ['ArnEquals', ROLE, ROLE, 'yes'],
    ['ArnLike', ROLE, ROLE, 'yes'],
    ['ArnEquals', 'arn:aws:iam::*:role/app/*', ROLE, 'yes'],
    ['ArnEquals', 'arn:aws:iam::11112222333?:role/*', ROLE, 'yes'],
    ['ArnLike', '*', ROLE, 'yes'],
    ['ArnLike', 'arn:aws:iam::*:role/admin', ROLE, 'no'],
    // A wildcard does not reach over a colon.
    ['ArnLike', 'arn:aws:s:*:111122223333:finance/*', 'arn:aws:s:us-east-2:9:store/abc:111122223333:finance/d', 'no'],
    [
      'StringLike',
      'arn:aws:s:*:111122223333:finance/*',
      'arn:aws:s:us-east-2:9:store/abc:111122223333:finance/d',
      'yes',
    ],
    ['ArnLike', 'arn:aws:s:*:9:store/*:finance/d', 'arn:aws:s:us-east-2:9:store/abc:1:finance/d', 'yes'],
    ['ArnNotEquals', 'arn:aws:iam::*:role/app/*', ROLE, 'no'],
    ['ArnNotLike', 'arn:aws:iam::*:role/web/*', ROLE, 'yes'],
    ['ArnLike', 'arn:aws:iam::*:role/*', 'dynamodb.amazonaws.com', 'unsure'],
    ['ArnNotLike', 'arn:aws:iam::*:role/*', 'dynamodb.amazonaws.com', 'unsure'],
  ])('%s %j of %j: %s', (...row) => check(row, 'kms:GranteePrincipal'))
})

describe('policy variables', () => {
  const options: RequestOptions = { encryptionContext: { user: 'bob' } }
  const condition = (value: string): unknown => ({ StringEquals: { 'kms:EncryptionContext:user': value } })

  it.each<[string, RequestOptions, keyof typeof OUTCOMES]>([
    ['${aws:username}', { ...options, principal: BOB }, 'yes'],
    ['${AWS:UserName}', { ...options, principal: BOB }, 'yes'],
    ['${aws:username}', options, 'no'],
    ['${aws:PrincipalTag/team}', { ...options, principal: user('x', { tags: { team: 'bob' } }) }, 'yes'],
    ["${aws:PrincipalTag/team, 'bob'}", options, 'yes'],
    ["${aws:PrincipalTag/team, 'bob'}", { ...options, principal: user('x', { tags: { team: 'y' } }) }, 'no'],
    // Without a value, and with two.
    ['${aws:PrincipalTag/team}', options, 'unsure'],
    [
      "${aws:PrincipalTag/team, 'bob'}",
      { ...options, principal: user('x', { tags: { team: 'y', Team: 'z' } }) },
      'unsure',
    ],
  ])('%s with %j: %s', (value, request, outcome) => {
    expect(decideBoth(condition(value), request)).toEqual(OUTCOMES[outcome])
  })

  it('bring no wildcards', () => {
    const principal = user('x', { tags: { team: '*' } })
    const like = { StringLike: { 'kms:EncryptionContext:user': '${aws:PrincipalTag/team}' } }
    expect(decideBoth(like, { ...options, principal })).toEqual(OUTCOMES.no)
    expect(decideBoth(like, { principal, encryptionContext: { user: '*' } })).toEqual(OUTCOMES.yes)
  })

  it('are colons of no ARN, in its pattern', () => {
    const like = { ArnLike: { 'kms:GranteePrincipal': 'arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username}' } }
    const own = { 'kms:GranteePrincipal': 'arn:aws:iam::111122223333:user/alice' }
    const other = { 'kms:GranteePrincipal': 'arn:aws:iam::444455556666:user/alice' }
    expect(decideBoth(like, { context: own })).toEqual(OUTCOMES.yes)
    expect(decideBoth(like, { context: other })).toEqual(OUTCOMES.no)
  })

  it('without a value decide nothing, whatever the other fields of an ARN are', () => {
    const context = { 'kms:GranteePrincipal': 'arn:aws:iam::444455556666:user/alice' }
    for (const operator of ['ArnLike', 'ArnNotLike']) {
      const condition = { [operator]: { 'kms:GranteePrincipal': 'arn:aws:iam::111122223333:${aws:PrincipalTag/path}' } }
      expect(decideBoth(condition, { context })).toEqual(OUTCOMES.unsure)
    }
  })
})
