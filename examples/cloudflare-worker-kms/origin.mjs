// Stands for your storage: an HTTP server of the sealed files.
import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'

const server = createServer(({ url }, response) => {
  const [, name] = /^\/([\w-]+\.txt\.wax)$/.exec(url) ?? []
  if (name === undefined) return response.writeHead(404).end()
  createReadStream(`sealed/${name}`)
    .on('error', () => response.writeHead(404).end())
    .pipe(response)
})
server.listen(8307, '127.0.0.1', () => console.log('The origin listens on http://127.0.0.1:8307'))
