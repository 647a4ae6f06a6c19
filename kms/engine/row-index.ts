import type { Table } from '../store/store.ts'
import { tampered, type AuthenticRows, type KnownRows } from './authentic-rows.ts'
import { toHex } from './bytes.ts'
import type { RootKeys } from './keys.ts'
import { without } from './without.ts'

// Which version of each row is the valid one, as a tree of rows: a row's MAC alone says that the engine wrote it once,
// not that nothing has replaced it since. A node holds the MACs of what is below it, so that an older row, with its
// older node, fits in only together with all nodes up to the top: with an older database as a whole.
//
// The place of a row is a keyed digest of its table and id, one hexadecimal digit for each level. A leaf holds up to
// sixteen rows; a fuller one becomes an inner node with up to sixteen leaves.

interface Leaf {
  /** Digest of table and id → MAC of the row. */
  readonly leaf: Readonly<Record<string, string>>
}

interface Inner {
  /** MAC of the child for each digit; empty where there is none. */
  readonly inner: readonly string[]
}

const FAN_OUT = 16
const MAX_LEAF_ROWS = 16
const DIGEST_DIGITS = 32
const TOP = 'top'

/** The index of all rows that must be the newest of their name. */
export class RowIndex {
  readonly #rows: AuthenticRows
  readonly #keys: RootKeys
  readonly #known: KnownRows

  constructor(rows: AuthenticRows, keys: RootKeys, known: KnownRows) {
    this.#rows = rows
    this.#keys = keys
    this.#known = known
  }

  /** Hex of the MAC that the row must have; undefined if there must be none. */
  async find(table: Table, id: string): Promise<string | undefined> {
    const digest = this.#digest(table, id)
    const { leaf } = await this.#descend(digest)
    return leaf?.[digest]
  }

  /** Sets the MAC (hex) of a row, or takes the row out. */
  async set(table: Table, id: string, mac: string | undefined): Promise<void> {
    const digest = this.#digest(table, id)
    const { leaf = {}, inners } = await this.#descend(digest)
    const others = without(leaf, digest)
    let child = await this.#writeLeaf(
      digest.slice(0, inners.length),
      mac === undefined ? others : { ...others, [digest]: mac },
    )
    for (let depth = inners.length - 1; depth >= 0; depth--) {
      const digit = digitAt(digest, depth)
      const inner = (inners[depth] ?? []).map((mac, index) => (index === digit ? child : mac))
      child = await this.#write(digest.slice(0, depth), { inner })
    }
  }

  /** How many rows there must be. */
  count(): Promise<number> {
    return this.#countBelow('', undefined)
  }

  async #countBelow(path: string, expected: string | undefined): Promise<number> {
    const id = nodeId(path)
    const node = await this.#rows.get('index', id)
    if (expected !== undefined && (!node || toHex(node.row.mac) !== expected)) throw tampered('index', id)
    if (!node) return 0
    const record = node.record as Leaf | Inner
    if ('leaf' in record) return Object.keys(record.leaf).length
    let count = 0
    for (const [digit, mac] of record.inner.entries()) {
      if (mac !== '') count += await this.#countBelow(path + digit.toString(FAN_OUT), mac)
    }
    return count
  }

  #digest(table: Table, id: string): string {
    return this.#known.place(`${table}/${id}`, () => {
      return toHex(this.#keys.authenticate('index', table, id)).slice(0, DIGEST_DIGITS)
    })
  }

  /** The inner nodes on the way to a digest, from the top, and the leaf at its end, if there is one. */
  async #descend(digest: string): Promise<{ leaf?: Leaf['leaf']; inners: (readonly string[])[] }> {
    const inners: (readonly string[])[] = []
    let expected: string | undefined
    for (;;) {
      const id = nodeId(digest.slice(0, inners.length))
      const node = await this.#rows.get('index', id)
      if (expected !== undefined && (!node || toHex(node.row.mac) !== expected)) throw tampered('index', id)
      if (!node) return { inners }
      const record = node.record as Leaf | Inner
      if ('leaf' in record) return { leaf: record.leaf, inners }
      expected = record.inner[digitAt(digest, inners.length)] ?? ''
      inners.push(record.inner)
      if (expected === '') return { inners }
    }
  }

  /** Answers the MAC of the node; empty for a leaf without rows, which is not kept below the top. */
  async #writeLeaf(path: string, leaf: Leaf['leaf']): Promise<string> {
    const entries = Object.entries(leaf)
    if (entries.length === 0 && path !== '') {
      await this.#rows.delete('index', nodeId(path))
      return ''
    }
    if (entries.length <= MAX_LEAF_ROWS) return this.#write(path, { leaf })
    const inner: string[] = []
    for (let digit = 0; digit < FAN_OUT; digit++) {
      const below = entries.filter(([digest]) => digitAt(digest, path.length) === digit)
      const isEmpty = below.length === 0
      inner.push(isEmpty ? '' : await this.#writeLeaf(path + digit.toString(FAN_OUT), Object.fromEntries(below)))
    }
    return this.#write(path, { inner })
  }

  async #write(path: string, record: Leaf | Inner): Promise<string> {
    const id = nodeId(path)
    const revision = ((await this.#rows.get('index', id))?.row.revision ?? 0) + 1
    const row = await this.#rows.put('index', { id, owner: '', revision, body: JSON.stringify(record) }, record)
    return toHex(row.mac)
  }
}

function nodeId(path: string): string {
  return path === '' ? TOP : `${TOP}/${path}`
}

function digitAt(digest: string, depth: number): number {
  return Number.parseInt(digest.charAt(depth), FAN_OUT)
}
