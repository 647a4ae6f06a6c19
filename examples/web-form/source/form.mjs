// The patient's page: encrypts the fields before they leave it.
import { fromBase64, sealFields } from './seal.mjs'

const form = document.querySelector('form')
const button = form.querySelector('button')
const status = document.querySelector('#status')
const sent = document.querySelector('#sent')

form.addEventListener('submit', (event) => {
  event.preventDefault()
  button.disabled = true
  say('Encrypting …')
  send(Object.fromEntries(new FormData(form)))
    .then(
      () => say('Sent. Only the practice can read it.', 'good'),
      (error) => say(error.message, 'bad'),
    )
    .finally(() => (button.disabled = false))
})

async function send(fields) {
  const id = crypto.randomUUID()
  const body = JSON.stringify({ id, fields: await sealFields(await publicKey(), id, fields) }, null, 2)
  const response = await fetch('/api/requests', { method: 'POST', body })
  if (!response.ok) throw new Error(`The server refused the request (${response.status}).`)
  sent.hidden = false
  sent.querySelector('pre').textContent = body
}

async function publicKey() {
  const response = await fetch('/api/key')
  if (response.status === 404) throw new Error('The practice has not opened its inbox yet. Nothing was sent.')
  if (!response.ok) throw new Error(`The server has no key for us (${response.status}). Nothing was sent.`)
  return fromBase64(await response.text())
}

function say(text, mood = '') {
  status.textContent = text
  status.className = mood
}
