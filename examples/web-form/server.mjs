// The server between the two pages. It keeps what it is sent and cannot read it: it never has a private key.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

const PORT = 8302
const MAX_BODY_BYTES = 64 * 1024
const PAGES = join(import.meta.dirname, 'pages')
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript' }

/** `wasm-unsafe-eval` lets the page compile WebAssembly, which is all that waxseal needs of a strict policy. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

/** The inbox's public key, as it came, and the requests, oldest first. */
let publicKey
const requests = []

const server = createServer((request, response) => {
  answer(request).then(
    ({ status = 200, type = 'application/json', body = '' }) => {
      response.writeHead(status, { ...HEADERS, 'content-type': type }).end(body)
    },
    (error) => {
      console.error(error)
      response.writeHead(500, HEADERS).end()
    },
  )
})
server.listen(PORT, '127.0.0.1', () => console.log(`Open http://127.0.0.1:${PORT}`))

async function answer(request) {
  const { pathname } = new URL(request.url, 'http://localhost')
  switch (`${request.method} ${pathname}`) {
    // In a real service only somebody who has signed in as the practice may set the key or fetch the requests.
    case 'PUT /api/key':
      publicKey = await bodyOf(request)
      return publicKey === undefined ? { status: 413 } : { status: 204 }
    case 'GET /api/key':
      return publicKey === undefined ? { status: 404 } : { body: publicKey }
    case 'POST /api/requests': {
      const body = await bodyOf(request)
      if (body === undefined) return { status: 413 }
      if (!isRequest(body)) return { status: 400 }
      requests.push(body)
      return { status: 201 }
    }
    case 'GET /api/requests':
      return { body: `[${requests.join()}]` }
    default:
      return request.method === 'GET' ? page(pathname) : { status: 405 }
  }
}

async function page(pathname) {
  const path = pathname === '/' ? '/index.html' : pathname
  if (!/^(?:\/\w[\w-]*)+\.(?:html|css|js)$/.test(path)) return { status: 404 }
  try {
    return { type: TYPES[extname(path)], body: await readFile(join(PAGES, path)) }
  } catch (error) {
    if (error.code === 'ENOENT') return { status: 404 }
    throw error
  }
}

async function bodyOf(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > MAX_BODY_BYTES) return undefined
  }
  return text
}

function isRequest(text) {
  try {
    const { id, fields } = JSON.parse(text)
    return typeof id === 'string' && Object.values(fields).every((sealed) => typeof sealed === 'string')
  } catch {
    return false
  }
}
