// Part of kms.mjs: SDK clients that call a server as fast as they can; prints their calls a second.
import { text } from 'node:stream/consumers'
import { KMS } from '@aws-sdk/client-kms'

process.removeAllListeners('warning')
const [endpoint, region, KeyId, count, seconds] = process.argv.slice(2)
const credentials = JSON.parse(await text(process.stdin))
const clients = Array.from({ length: Number(count) }, () => new KMS({ endpoint, region, credentials, maxAttempts: 1 }))
const input = { KeyId, KeySpec: 'AES_256' }
await Promise.all(clients.map((client) => client.generateDataKey(input)))

const started = performance.now()
const end = started + Number(seconds) * 1000
let calls = 0
await Promise.all(
  clients.map(async (client) => {
    while (performance.now() < end) {
      await client.generateDataKey(input)
      calls += 1
    }
  }),
)
console.log(JSON.stringify({ rate: (calls * 1000) / (performance.now() - started), calls }))
for (const client of clients) client.destroy()
