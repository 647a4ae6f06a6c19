import { randomUUID } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openAuditAnchor, type AuditAnchor } from '../../cli/audit-anchor.ts'
import type { Engine } from '../../kms/engine/index.ts'
import { memoryStore, type Row, type Store } from '../../kms/store/memory.ts'
import { TABLES } from '../../kms/store/store.ts'
import { newKey, openEngine } from './engine-setup.ts'
import { temporaryFolder } from './temporary.ts'

const folder = temporaryFolder()

function anchored(): { file: string; anchor: (engine: Engine) => Promise<AuditAnchor> } {
  const [directory, file] = [join(folder, randomUUID()), join(folder, randomUUID())]
  mkdirSync(directory)
  const anchor = ({ audit }: Engine): Promise<AuditAnchor> =>
    openAuditAnchor({ file, directory, audit, every: 1000, onError: (error) => expect.unreachable(String(error)) })
  return { file, anchor }
}

function recordsOf(file: string): number[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => (JSON.parse(line) as { records: number }).records)
}

/** All rows of a store, and a way back to them. */
async function snapshot(store: Store): Promise<() => Promise<void>> {
  const allRows = (): Promise<(readonly Row[])[]> =>
    store.transaction('read', (rows) =>
      Promise.all(TABLES.map((table) => rows.list(table, { prefix: '', limit: 10_000 }))),
    )
  const kept = await allRows()
  return async () => {
    const now = await allRows()
    await store.transaction('write', async (rows) => {
      for (const [index, table] of TABLES.entries()) {
        for (const { id } of now[index] ?? []) await rows.delete(table, id)
        for (const row of kept[index] ?? []) await rows.put(table, row)
      }
    })
  }
}

it('writes no head of a log that has fewer records than the last head', async () => {
  const store = memoryStore()
  const engine = await openEngine(store)
  const { file, anchor } = anchored()
  await newKey(engine)
  const keeper = await anchor(engine)
  const putBack = await snapshot(store)
  await newKey(engine)
  await keeper.close()
  const other = await anchor(engine)
  await putBack()
  await expect(other.close()).rejects.toThrow('the audit log has 1 records, and the newest head had 2')
  expect(recordsOf(file)).toEqual([1, 2])
})

it('goes on from the head with the most records, wherever its line is', async () => {
  const store = memoryStore()
  const engine = await openEngine(store)
  const { file, anchor } = anchored()
  await newKey(engine)
  const early = JSON.stringify(await engine.audit.signedHead())
  const putBack = await snapshot(store)
  await newKey(engine)
  await (await anchor(engine)).close()
  appendFileSync(file, `${early}\n`)
  await (await anchor(engine)).close()
  expect(recordsOf(file)).toEqual([2, 1])
  await putBack()
  await expect(anchor(engine)).rejects.toThrow(/does not go on from the newest head/)
  expect(recordsOf(file)).toEqual([2, 1])
})
