import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { expect, it, vi } from 'vitest'
import { keyPairs } from '../../bindings/key-pairs.node.ts'
import { keyPairs as webKeyPairs } from '../../bindings/key-pairs.web.ts'

vi.mock('../../bindings/curves.noble.ts', () => {
  throw new Error('not to be had')
})
vi.mock('../../bindings/rsa-digest.ts', () => {
  throw new Error('not to be had')
})

const bytes = createHash('sha256').update('a message').digest()

const KINDS = [
  ['ECDSA_SHA_256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['RSASSA_PKCS1_V1_5_SHA_256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
] as const

it.each(KINDS)('a signature by %s is not bad where the code that would verify it does not load', async (name, pair) => {
  const spki = new Uint8Array(pair.publicKey.export({ format: 'der', type: 'spki' }))
  const signature = sign('sha256', Buffer.from('a message'), pair.privateKey)
  const message = { algorithm: name, bytes, isDigest: true }
  await expect(webKeyPairs.verify(spki, message, signature)).rejects.toThrow()
  if (name === 'ECDSA_SHA_256') await expect(keyPairs.verify(spki, message, signature)).rejects.toThrow()
  else expect(await keyPairs.verify(spki, message, signature)).toBe(true)
})
