// A static server on the loopback interface whose pages fetch `input.json` and post their answer to `report`.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
}

/**
 * Serves a folder, opens a page of it in a browser, and answers what the page reports.
 * @param {string} folder
 * @param {string} page path and query
 * @param {object} input
 * @param {(url: string) => Promise<() => unknown>} open opens the URL; its answer closes the browser
 * @param {{ headers?: Record<string, string>, timeout?: number }} [options]
 * @returns {Promise<any>}
 */
export async function askPage(folder, page, input, open, { headers = {}, timeout = 120_000 } = {}) {
  let resolve
  const report = new Promise((resume) => (resolve = resume))
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname)
    if (path === '/report') {
      const parts = []
      for await (const part of request) parts.push(part)
      response.end()
      resolve(JSON.parse(Buffer.concat(parts).toString()))
      return
    }
    try {
      const body = path === '/input.json' ? JSON.stringify(input) : await readFile(join(folder, path))
      response.writeHead(200, { 'content-type': TYPES[extname(path)], ...headers })
      response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  let close
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${page} did not report within ${timeout / 1000} s`)), timeout)
  })
  try {
    close = await open(`http://127.0.0.1:${server.address().port}/${page}`)
    const answer = await Promise.race([report, late])
    if (typeof answer.error === 'string') throw new Error(answer.error)
    return answer
  } finally {
    clearTimeout(timer)
    await close?.()
    server.closeAllConnections()
    server.close()
  }
}
