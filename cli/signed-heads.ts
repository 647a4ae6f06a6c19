import type { SignedAuditHead } from '../kms/engine/index.ts'
import { CommandError } from './failure.ts'
import { readSmallFile } from './small-file.ts'

/** A file of heads has one for many records: more than this is something else. */
const MAX_FILE_BYTES = 0x10000000

export interface SignedHeads {
  readonly heads: readonly SignedAuditHead[]
  /** Numbers of lines that end early: whatever wrote them was interrupted. */
  readonly torn: readonly number[]
}

/**
 * Reads a file of signed heads, one in JSON on each line.
 *
 * @throws CommandError for what is no such file, or has no head in it
 */
export async function readSignedHeads(path: string): Promise<SignedHeads> {
  const text = (await readSmallFile(path, MAX_FILE_BYTES)).toString('utf8')
  const heads: SignedAuditHead[] = []
  const torn: number[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    if (line.endsWith('}')) heads.push(headOf(line, `line ${index + 1} of ${path}`))
    else torn.push(index + 1)
  }
  if (heads.length === 0) throw new CommandError('usage', `${path} has no signed head of an audit log`)
  return { heads, torn }
}

/** Nothing of the head is verified. */
function headOf(line: string, place: string): SignedAuditHead {
  let head: Partial<SignedAuditHead>
  try {
    head = JSON.parse(line) as Partial<SignedAuditHead>
  } catch {
    head = {}
  }
  const { records, mac, time, publicKey, signature } = head
  const texts = [mac, time, publicKey, signature]
  if (!Number.isSafeInteger(records) || texts.some((text) => typeof text !== 'string')) {
    throw new CommandError('usage', `${place} is no signed head of an audit log`)
  }
  return head as SignedAuditHead
}
