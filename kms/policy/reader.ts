import type { PolicyDocument, PolicyKind } from './document.ts'
import { parsePolicy } from './parse.ts'

/** More policies than a busy service uses at a time; each has at most 32 KiB of text. */
const CAPACITY = 256

/**
 * Reads policy documents, and keeps those that it read last. The text is the key: whoever reads the policy of the hour
 * from a store gets that one, and its parsing for nothing if it has not changed.
 */
export class PolicyReader {
  readonly #documents = new Map<string, PolicyDocument>()
  readonly #capacity: number

  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity
  }

  /** As {@link parsePolicy}. @throws PolicyError */
  read(text: string, kind: PolicyKind): PolicyDocument {
    const key = `${kind} ${text}`
    const document = this.#documents.get(key) ?? parsePolicy(text, kind)
    this.#documents.delete(key)
    this.#documents.set(key, document)
    for (const oldest of this.#documents.keys()) {
      if (this.#documents.size <= this.#capacity) break
      this.#documents.delete(oldest)
    }
    return document
  }
}
