// Stands for your storage: an HTTP server with a sealed text at /hello.txt.wax, and the same bytes at /moved.txt.wax.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { encrypt, rawAesKeyring } from 'waxseal'

const secret = /^WRAPPING_KEY=(\S+)$/m.exec(await readFile('.dev.vars', 'utf8'))[1]
const keyring = rawAesKeyring({
  namespace: 'example',
  name: 'edge',
  wrappingKey: Buffer.from(secret, 'base64'),
})
const message = await encrypt(keyring, new TextEncoder().encode('Good morning from the edge.\n'), {
  encryptionContext: { path: '/hello.txt', type: 'text/plain' },
})

const server = createServer(({ url }, response) => {
  if (url === '/hello.txt.wax' || url === '/moved.txt.wax') response.end(message)
  else response.writeHead(404).end()
})
server.listen(8304, '127.0.0.1', () => console.log('The origin listens on http://127.0.0.1:8304'))
