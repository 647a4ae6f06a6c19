// The inbox's RSA key pair: made once, kept by the browser. No script can read the private key, this one included.

const ALGORITHM = {
  name: 'RSA-OAEP',
  modulusLength: 3072,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
}

/** The key pair of this browser, from its database or new. */
export async function inboxKeys() {
  const database = await settled(indexedDB.open('inbox', 1), (request) => {
    request.addEventListener('upgradeneeded', () => request.result.createObjectStore('keys'))
  })
  try {
    const stored = await settled(database.transaction('keys').objectStore('keys').get('pair'))
    if (stored) return stored
    const pair = await crypto.subtle.generateKey(ALGORITHM, false, ['encrypt', 'decrypt'])
    await settled(database.transaction('keys', 'readwrite').objectStore('keys').put(pair, 'pair'))
    return pair
  } finally {
    database.close()
  }
}

function settled(request, prepare = () => undefined) {
  prepare(request)
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error))
  })
}
