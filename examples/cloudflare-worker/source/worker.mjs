// Decrypts close to the user what the origin stores sealed. The origin never has the key.
import { decrypt, rawAesKeyring, WaxsealError } from 'waxseal'

export default {
  async fetch(request, env) {
    if (request.method !== 'GET') return new Response(null, { status: 405 })
    const { pathname } = new URL(request.url)
    const answer = await fetch(new URL(`${pathname}.wax`, env.ORIGIN))
    if (!answer.ok) return new Response(null, { status: answer.status })
    try {
      const message = new Uint8Array(await answer.arrayBuffer())
      // The context ties a message to its path: the origin cannot serve one for another.
      const { plaintext, header } = await decrypt(keyringOf(env), message, { encryptionContext: { path: pathname } })
      const headers = { 'content-type': header.encryptionContext.type ?? 'application/octet-stream' }
      return new Response(plaintext, { headers })
    } catch (error) {
      if (!(error instanceof WaxsealError)) throw error
      console.error(error.code, error.message)
      return new Response(null, { status: 502 })
    }
  },
}

/** One keyring for each isolate: `env` is the same object in all its requests. */
const keyrings = new WeakMap()

function keyringOf(env) {
  let keyring = keyrings.get(env)
  if (keyring === undefined) {
    const wrappingKey = Uint8Array.from(atob(env.WRAPPING_KEY), (character) => character.charCodeAt(0))
    keyring = rawAesKeyring({ namespace: 'example', name: 'edge', wrappingKey })
    keyrings.set(env, keyring)
  }
  return keyring
}
