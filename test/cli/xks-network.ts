import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { ENDPOINT, XksProxy } from '../kms/xks-proxy.ts'
import type { Shell } from './shell.ts'

/** An external key store proxy that the servers of a shell can reach. */
export async function startProxy(shell: Shell, region: string): Promise<{ proxy: XksProxy; stop: () => void }> {
  const proxy = new XksProxy()
  proxy.region = region
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = []
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    request.on('end', () => {
      const { 'x-amz-date': date = '', authorization = '' } = request.headers
      const headers = { 'x-amz-date': String(date), authorization }
      const asked = new Request(ENDPOINT + (request.url ?? ''), {
        method: 'POST',
        headers,
        body: Buffer.concat(chunks),
      })
      void proxy.handle(asked, new URL(ENDPOINT).host).then(async (answer) => {
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  shell.env.XKS_PROXY_PORT = String((server.address() as AddressInfo).port)
  shell.env.NODE_OPTIONS = `--import ${fileURLToPath(new URL('xks-network.mjs', import.meta.url))}`
  return { proxy, stop: () => server.close() }
}
