// Milliseconds to import the library and to decrypt a first message, in a process or page that has done nothing else.
export async function firstDecrypt(message, wrappingKey) {
  const start = performance.now()
  const { decrypt, rawAesKeyring } = await import('waxseal')
  const imported = performance.now()
  const { plaintext } = await decrypt(rawAesKeyring({ namespace: 'start', name: 'k', wrappingKey }), message)
  const end = performance.now()
  if (plaintext.length !== 64) throw new Error('the first message did not decrypt')
  return { import: imported - start, decrypt: end - imported }
}
