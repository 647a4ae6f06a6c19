// The practice's page: has the private key, and shows the requests decrypted.
import { inboxKeys } from './inbox-keys.mjs'
import { openFields, toBase64 } from './seal.mjs'

const LABELS = { name: 'Name', phone: 'Telephone', day: 'Preferred day', reason: 'Reason' }
const REFRESH_MILLISECONDS = 1000

const list = document.querySelector('#requests')
const status = document.querySelector('#status')
const template = document.querySelector('template')
const shown = new Set()

try {
  const { publicKey, privateKey } = await inboxKeys()
  const spki = new Uint8Array(await crypto.subtle.exportKey('spki', publicKey))
  await fetch('/api/key', { method: 'PUT', body: toBase64(spki) })
  await refresh(privateKey)
} catch (error) {
  say(error.message, 'bad')
}

async function refresh(privateKey) {
  try {
    const requests = await (await fetch('/api/requests')).json()
    for (const request of requests.filter(({ id }) => !shown.has(id))) await show(privateKey, request)
    say(shown.size === 0 ? 'Ready. No requests yet.' : `${shown.size} received, decrypted on this device.`, 'good')
  } catch {
    say('The server does not answer; trying again.', 'bad')
  }
  setTimeout(() => void refresh(privateKey), REFRESH_MILLISECONDS)
}

async function show(privateKey, { id, fields }) {
  shown.add(id)
  const card = template.content.cloneNode(true)
  const entries = card.querySelector('dl')
  try {
    for (const [field, text] of Object.entries(await openFields(privateKey, id, fields)))
      entries.append(element('dt', LABELS[field] ?? field), element('dd', text || 'not given'))
  } catch (error) {
    entries.replaceWith(element('p', `This request cannot be read: ${error.message}`))
  }
  list.prepend(card)
}

function element(name, text) {
  return Object.assign(document.createElement(name), { textContent: text })
}

function say(text, mood) {
  if (status.textContent !== text) status.textContent = text
  status.className = mood
}
