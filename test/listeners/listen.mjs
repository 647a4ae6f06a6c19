// Inside a runtime: listens as it is asked to, says where, and closes when its input ends.
import { readFileSync } from 'node:fs'
import { argv, exit, stdin } from 'node:process'
import { createEngine } from 'waxseal/kms/engine'
import { createKmsServer, rootCredential } from 'waxseal/kms/server'
import { memoryStore } from 'waxseal/kms/store/memory'

const [runtime, text] = argv.slice(2)
const { tls, credentials, ...options } = JSON.parse(text)
const { listen } = await import(`waxseal/kms/server/${runtime}`)
const engine = await createEngine({ store: memoryStore(), rootKey: new Uint8Array(32).fill(7) })
const server = createKmsServer({ engine, credentials: rootCredential(credentials) })
// Node takes names of files, the others take texts.
const texts = () => ({ cert: readFileSync(tls.cert, 'utf8'), key: readFileSync(tls.key, 'utf8') })
const pair = tls && (runtime === 'node' ? { certFile: tls.cert, keyFile: tls.key } : texts())
try {
  const listener = await listen({ server, ...options, ...(pair ? { tls: pair } : {}) })
  console.log(`open ${listener.url}`)
  stdin.on('data', () => undefined)
  stdin.on('end', async () => {
    await listener.close()
    console.log('closed')
    exit(0)
  })
} catch (error) {
  console.log(`failed ${error.constructor.name}`)
  exit(0)
}
