import type { PolicyDocument, PolicyKind, Statement } from './document.ts'
import { PolicyError } from './error.ts'
import { readJson, type Json } from './json.ts'
import { fail, isObject, optionalString } from './members.ts'
import { readStatement } from './statement.ts'

/** Quota of AWS KMS for a key policy; AWS counts policies of identities otherwise, to less. */
const MAX_BYTES = 32_768

const VERSIONS = ['2008-10-17', '2012-10-17']

/**
 * Reads and checks a policy document (IAM User Guide, "Grammar of the IAM JSON policy language"). Elements, operators
 * and keys that are not known are refused, and so is what could never have the effect that it promises: a Deny, a
 * NotAction or a NotPrincipal that asks for a condition key which this engine never fills, a Deny of an action that does
 * not exist, a Deny without actions or resources.
 *
 * @throws PolicyError `MalformedPolicyDocumentException`; `LimitExceededException` for more than 32,768 bytes
 */
export function parsePolicy(text: string, kind: PolicyKind): PolicyDocument {
  assertCharacters(text)
  const json = readJson(text)
  if (!isObject(json)) fail('syntax', 'The policy is not in the valid JSON format: it is no object.')
  for (const name of json.keys()) {
    if (!['Version', 'Id', 'Statement'].includes(name)) fail('element', `A policy has no element '${name}'.`)
  }
  const version = json.has('Version') ? json.get('Version') : '2008-10-17'
  if (typeof version !== 'string' || !VERSIONS.includes(version)) {
    fail('element', `Version must be one of ${VERSIONS.join(', ')}.`)
  }
  const id = optionalString(json, 'Id')
  if (id !== undefined && kind === 'identity') fail('element', 'The policy of an identity has no Id.')
  const language = { hasVariables: version !== '2008-10-17' }
  const list = json.get('Statement')
  const members: readonly Json[] = Array.isArray(list) ? (list as readonly Json[]) : list === undefined ? [] : [list]
  if (members.length === 0) fail('element', 'A policy must have at least one statement.')
  const statements = members.map((member, i) => {
    if (!isObject(member)) fail('element', 'Statement must hold objects.')
    return nameStatement(i, () => readStatement(member, kind, language))
  })
  assertDistinctSids(statements, kind)
  return { kind, text, id, statements }
}

/** AWS KMS Developer Guide, "Key policy format". */
function assertCharacters(text: string): void {
  let bytes = text.length
  for (let i = 0; i < text.length && bytes <= MAX_BYTES; i++) {
    const code = text.charCodeAt(i)
    if (code > 0xff || (code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d)) {
      fail('syntax', `The policy has a character that policies cannot have, at ${String(i)}.`)
    }
    if (code > 0x7f) bytes++
  }
  if (bytes > MAX_BYTES) fail('too-large', `A policy must not be larger than ${String(MAX_BYTES)} bytes.`)
}

/** Says in which statement an error was found. */
function nameStatement<T>(index: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new PolicyError(error.reason, `${error.message} (Statement ${String(index + 1)})`)
  }
}

function assertDistinctSids(statements: readonly Statement[], kind: PolicyKind): void {
  if (kind !== 'identity') return
  const sids = statements.flatMap(({ sid }) => (sid === undefined || sid === '' ? [] : [sid]))
  if (new Set(sids).size !== sids.length) fail('element', 'Statement IDs (SID) in a single policy must be unique.')
}
