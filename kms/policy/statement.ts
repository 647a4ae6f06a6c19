import { readResource } from './arn-pattern.ts'
import { readConditions } from './condition.ts'
import type { ActionPattern, Matcher, PolicyKind, Statement } from './document.ts'
import { globOf } from './glob.ts'
import type { JsonObject } from './json.ts'
import { fail, optionalString, stringsOf } from './members.ts'
import { namesPermission } from './permissions.ts'
import { readPrincipals, type PolicyPrincipal } from './principals.ts'
import type { Language } from './template.ts'

const ELEMENTS: ReadonlySet<string> = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
])

/** Reads and checks one statement. @throws PolicyError */
export function readStatement(json: JsonObject, kind: PolicyKind, language: Language): Statement {
  for (const name of json.keys()) if (!ELEMENTS.has(name)) fail('element', `A statement has no element '${name}'.`)
  const sid = optionalString(json, 'Sid')
  if (kind === 'identity' && sid !== undefined && !/^[A-Za-z0-9]*$/.test(sid)) {
    fail('element', 'Statement IDs (SID) must be alpha-numeric.')
  }
  const effect = json.get('Effect')
  if (effect !== 'Allow' && effect !== 'Deny') fail('element', 'Effect must be Allow or Deny.')
  const condition = json.get('Condition')
  const statement: Statement = {
    sid,
    effect,
    principals: readPrincipalElement(json, kind, effect),
    actions: readElement(json, 'Action', readAction),
    resources: readElement(json, 'Resource', (text) => readResource(text, language)),
    conditions: condition === undefined ? [] : readConditions(condition, language),
  }
  assertPresent(statement, kind)
  assertEffective(statement, kind)
  assertFilled(statement)
  return statement
}

/** An element or its opposite; without either, no members, so that the statement never applies. */
function readElement<T>(json: JsonObject, name: string, read: (text: string) => T): Matcher<T> {
  const [element, opposite] = [json.get(name), json.get(`Not${name}`)]
  if (element !== undefined && opposite !== undefined) {
    fail('element', `A statement must not have both ${name} and Not${name}.`)
  }
  const members = element ?? opposite
  return { members: members === undefined ? [] : stringsOf(members, name).map(read), isNot: opposite !== undefined }
}

function readPrincipalElement(
  json: JsonObject,
  kind: PolicyKind,
  effect: Statement['effect'],
): Matcher<PolicyPrincipal> | undefined {
  const [element, opposite] = [json.get('Principal'), json.get('NotPrincipal')]
  const given = element ?? opposite
  if (kind === 'identity') {
    if (given !== undefined) fail('principal', 'The policy of an identity must not name principals.')
    return undefined
  }
  if (given === undefined) fail('principal', 'Policy contains a statement with no principal.')
  if (element !== undefined && opposite !== undefined) {
    fail('principal', 'A statement must not have both Principal and NotPrincipal.')
  }
  const members = readPrincipals(given)
  if (opposite !== undefined) {
    // IAM User Guide, "NotPrincipal": it is not supported with Allow.
    if (effect === 'Allow') fail('principal', 'NotPrincipal must be used with Deny.')
    if (members.some((member) => member.kind === 'everyone')) fail('principal', 'NotPrincipal must not be everyone.')
  }
  return { members, isNot: opposite !== undefined }
}

/** Names of actions are compared without regard to case. */
function readAction(text: string): ActionPattern {
  if (text !== '*' && !/^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$/.test(text)) fail('action', `'${text}' is no action.`)
  return { text, glob: globOf(text.toLowerCase()) }
}

/**
 * A key's policy may hold a statement without actions or resources, which then has no effect (AWS KMS Developer Guide,
 * "Elements in a key policy"). Not a Deny: whoever wrote it relies on it.
 */
function assertPresent({ effect, actions, resources }: Statement, kind: PolicyKind): void {
  if (kind === 'key' && effect === 'Allow') return
  if (actions.members.length === 0) fail('action', 'Policy statement must contain actions.')
  if (resources.members.length === 0) fail('resource', 'Policy statement must contain resources.')
}

/** What only widens permissions by its error: a Deny of nothing, an exception from an Allow that excepts nothing. */
function assertEffective({ effect, actions, resources }: Statement, kind: PolicyKind): void {
  const isDeny = effect === 'Deny'
  if (isDeny && actions.isNot && actions.members.some(({ text }) => text === '*')) {
    fail('action', 'A Deny of every action but * denies nothing.')
  }
  if (isDeny && resources.isNot && resources.members.some(({ isEvery }) => isEvery)) {
    fail('resource', 'A Deny of every resource but * denies nothing.')
  }
  if (isDeny === actions.isNot) return
  for (const { text, glob } of actions.members) {
    const isForKms = /^kms:/i.test(text) || (kind === 'key' && isDeny)
    if (isForKms && text !== '*' && !namesPermission(glob)) fail('action', `AWS KMS has no permission '${text}'.`)
  }
}

/** A Deny must not silently never fire, nor an exception be silently none. */
function assertFilled({ effect, principals, actions, resources, conditions }: Statement): void {
  const isDeny = effect === 'Deny'
  const hasExceptions = principals?.isNot === true || actions.isNot || resources.isNot
  if (!isDeny && !hasExceptions) return
  const unfilled = conditions.find(({ isUnfilled }) => isUnfilled)
  const where = isDeny ? 'A Deny' : 'A statement with NotAction or NotResource'
  if (unfilled) fail('condition', `${where} must not depend on ${unfilled.key}: this KMS never has a value for it.`)
  if (resources.members.some(({ isUnfilled }) => isUnfilled)) {
    fail('resource', `${where} must not depend on a variable that this KMS never has a value for.`)
  }
}
