// Inside workerd: the key management service in a Durable Object, for AWS clients; and what the test asks of its store.
import { DurableObject } from 'cloudflare:workers'
import { createEngine } from 'waxseal/kms/engine'
import { createKmsServer, rootCredential } from 'waxseal/kms/server'
import { durableObjectStore } from 'waxseal/kms/store/durable-object'

const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))

export class Kms extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env)
    void ctx.blockConcurrencyWhile(async () => {
      const store = durableObjectStore(ctx.storage)
      this.engine = await createEngine({ store, rootKey: fromBase64(env.ROOT_KEY) })
      const credentials = rootCredential({ accessKeyId: 'AKIDOBJECT', secretAccessKey: env.SECRET })
      this.server = createKmsServer({ engine: this.engine, credentials })
    })
  }

  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/test/change') {
      const { rowsWritten } = this.ctx.storage.sql.exec(searchParams.get('sql'))
      return Response.json({ rowsWritten })
    }
    if (pathname === '/test/audit') return Response.json(await this.engine.audit.verify())
    return this.server.fetch(request)
  }
}

/** A store of its own: each part throws when something is not so. */
export class StoreTest extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env)
    this.store = durableObjectStore(ctx.storage)
  }

  async fetch() {
    await this.keeps()
    await this.undoes()
    await this.refuses()
    return new Response('ok')
  }

  async ids() {
    const range = { prefix: '', limit: 9 }
    return (await this.store.transaction('read', (rows) => rows.list('key', range))).map(({ id }) => id).join()
  }

  async keeps() {
    await this.store.transaction('write', async (rows) => {
      for (const id of ['b', 'a/1', 'a/2']) await rows.put('key', row(id, { owner: id.slice(0, 1), revision: 2 ** 40 }))
    })
    const found = await this.store.transaction('read', (rows) => rows.get('key', 'b'))
    same(JSON.stringify(found), JSON.stringify(row('b', { owner: 'b', revision: 2 ** 40 })), 'the row')
    same(found.mac.constructor, Uint8Array, 'the class of its MAC')
    same(await this.ids(), 'a/1,a/2,b', 'the ids')
  }

  async undoes() {
    const failing = this.store.transaction('write', async (rows) => {
      await rows.delete('key', 'b')
      await rows.put('key', row('lost'))
      throw new Error('no')
    })
    same(await failing.catch(({ message }) => message), 'no', 'the reason')
    same(await this.ids(), 'a/1,a/2,b', 'the ids after a transaction that failed')

    await this.store.transaction('write', async (rows) => {
      const part = rows.savepoint(async () => {
        await rows.delete('key', 'a/1')
        throw new Error('no')
      })
      await part.catch(() => undefined)
      await rows.delete('key', 'a/2')
      await rows.put('key', row('c'))
      const inside = (await rows.list('key', { prefix: '', limit: 2, after: 'a/1' })).map(({ id }) => id).join()
      same(inside, 'b,c', 'the ids inside of the transaction')
    })
    same(await this.ids(), 'a/1,b,c', 'the ids after all')
  }

  /** What SQLite refuses midway leaves nothing of the transaction. */
  async refuses() {
    const broken = this.store.transaction('write', async (rows) => {
      await rows.put('key', row('d'))
      await rows.put('key', row('e', { revision: 'none' }))
    })
    const outcome = await broken.then(
      () => 'kept',
      () => 'refused',
    )
    same(outcome, 'refused', 'a row that is none')
    same(await this.ids(), 'a/1,b,c', 'the ids after a commit that failed')
  }
}

function row(id, more) {
  return { id, owner: '', revision: 1, body: `{"of":"${id} 🔑"}`, mac: new Uint8Array([0, 255, 7]), ...more }
}

function same(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}`)
}

export default {
  fetch(request, env) {
    const isStore = new URL(request.url).pathname === '/test/store'
    const namespace = isStore ? env.STORE : env.KMS
    return namespace.get(namespace.idFromName('the one')).fetch(request)
  },
}
