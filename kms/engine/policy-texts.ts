import { parsePolicy, type PolicyDocument, type PolicyKind } from '../policy/index.ts'

const MAX_KNOWN = 1024

/** Policies parsed before: most keys have the same one. */
export class PolicyTexts {
  readonly #documents = new Map<string, PolicyDocument>()

  /** @throws PolicyError */
  parse(text: string, kind: PolicyKind): PolicyDocument {
    const name = `${kind} ${text}`
    const known = this.#documents.get(name)
    if (known) return known
    const document = parsePolicy(text, kind)
    if (this.#documents.size >= MAX_KNOWN) this.#documents.clear()
    this.#documents.set(name, document)
    return document
  }
}
