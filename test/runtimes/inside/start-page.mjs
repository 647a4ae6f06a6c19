import { firstDecrypt } from './first-decrypt.mjs'

const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
const report = (body) => fetch('/report', { method: 'POST', body: JSON.stringify(body) })

async function measure() {
  const { message, wrappingKey } = await (await fetch('/input.json')).json()
  return firstDecrypt(fromBase64(message), fromBase64(wrappingKey))
}

measure().then(report, (error) => report({ error: String(error) }))
