import type { PolicyDocument, PolicyKind } from './document.ts'
import { parsePolicy } from './parse.ts'

/**
 * Characters of the texts of all documents that are kept: hundreds of ordinary policies. Those that are made to be large
 * take up to 400 bytes of memory for each of their characters.
 */
const CAPACITY = 262_144

/**
 * Reads policy documents, and keeps those that it read last. The text is the key: whoever reads the policy of the hour
 * from a store gets that one, and its parsing for nothing if it has not changed.
 */
export class PolicyReader {
  readonly #documents = new Map<string, PolicyDocument>()
  readonly #capacity: number
  #size = 0

  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity
  }

  /** As {@link parsePolicy}. @throws PolicyError */
  read(text: string, kind: PolicyKind): PolicyDocument {
    const key = keyOf(text, kind)
    const document = this.#documents.get(key) ?? parsePolicy(text, kind)
    if (!this.#documents.delete(key)) this.#size += text.length
    this.#documents.set(key, document)
    for (const [oldest, { text }] of this.#documents) {
      if (this.#size <= this.#capacity) break
      this.#documents.delete(oldest)
      this.#size -= text.length
    }
    return document
  }

  /** As {@link read}, for a policy that may yet be refused: it is not kept. @throws PolicyError */
  check(text: string, kind: PolicyKind): PolicyDocument {
    return this.#documents.get(keyOf(text, kind)) ?? parsePolicy(text, kind)
  }
}

function keyOf(text: string, kind: PolicyKind): string {
  return `${kind} ${text}`
}
