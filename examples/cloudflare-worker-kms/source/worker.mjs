// Decrypts close to the user what the origin stores sealed. Neither it nor this Worker has the key: a KMS does.
import { decrypt, WaxsealError } from 'waxseal'
import { kmsKeyring } from 'waxseal/kms'
import { awsKms } from 'waxseal/kms/aws'

export default {
  async fetch(request, env) {
    if (request.method !== 'GET') return new Response(null, { status: 405 })
    const { pathname } = new URL(request.url)
    const answer = await fetch(new URL(`${pathname}.wax`, env.ORIGIN))
    if (!answer.ok) return new Response(null, { status: answer.status })
    try {
      const message = new Uint8Array(await answer.arrayBuffer())
      // The context ties a message to its path: the origin cannot serve one for another.
      const { plaintext, header } = await decrypt(keyringOf(env), message, {
        encryptionContext: { path: pathname },
        signal: request.signal,
      })
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
    const credentials = { accessKeyId: env.KMS_ACCESS_KEY_ID, secretAccessKey: env.KMS_SECRET_ACCESS_KEY }
    const provider = awsKms({ region: env.KMS_REGION, endpoint: env.KMS_ENDPOINT, credentials })
    keyring = kmsKeyring({ provider, keyIds: [env.KMS_KEY] })
    keyrings.set(env, keyring)
  }
  return keyring
}
