// Inside a page, a Web Worker or a Service Worker.
import { conform } from './suite.js'

async function answer() {
  const input = await fetch('/input.json')
  return { ...(await conform(await input.json())), scope: globalThis.constructor.name }
}

function report(body) {
  return fetch('/report', { method: 'POST', body: JSON.stringify(body) })
}

const done = answer().then(report, (error) => report({ error: String(error) }))

// A Service Worker lives as long as it has an event to wait for.
globalThis.addEventListener('install', (event) => event.waitUntil(done))
