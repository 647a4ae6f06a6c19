import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto'
import { rawAesKeyring } from 'waxseal'
import { createFieldSessionSync, FIELD_OVERHEAD_BYTES } from 'waxseal/field-session'
import { bytes, sizeName } from './data.mjs'
import { aad, freshIvs, key, nodeGcm } from './node-gcm.mjs'

const SIZES = [16, 64, 256]
const PLACE = ['email', 'user/123456']

/** Small values of a field session, beside node:crypto with a KeyObject, 32 bytes of AAD and no format around it. */
export function fieldGroups() {
  const keyring = rawAesKeyring({ namespace: 'bench', name: 'key', wrappingKey: key })
  const keyObject = createSecretKey(key)
  return SIZES.flatMap((size) => {
    const plaintext = bytes(size)
    const session = createFieldSessionSync(keyring)
    const value = session.encrypt(...PLACE, plaintext)
    const [sealedOutput, openedOutput] = [new Uint8Array(size + FIELD_OVERHEAD_BYTES), new Uint8Array(size)]
    const iv = freshIvs()().slice()
    const cipher = createCipheriv('aes-256-gcm', keyObject, iv)
    cipher.setAAD(aad)
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
    const tag = cipher.getAuthTag()
    return [
      {
        name: `field value encrypt, ${sizeName(size)}`,
        cases: [
          { name: 'waxseal/field-session, into', run: () => session.encryptInto(...PLACE, plaintext, sealedOutput) },
          { name: 'waxseal/field-session', run: () => session.encrypt(...PLACE, plaintext) },
          { name: 'node:crypto', run: nodeGcm(plaintext) },
        ],
      },
      {
        name: `field value decrypt, ${sizeName(size)}`,
        cases: [
          { name: 'waxseal/field-session, into', run: () => session.decryptInto(...PLACE, value, openedOutput) },
          { name: 'waxseal/field-session', run: () => session.decrypt(...PLACE, value) },
          {
            name: 'node:crypto',
            run: () => {
              const decipher = createDecipheriv('aes-256-gcm', keyObject, iv)
              decipher.setAAD(aad)
              decipher.setAuthTag(tag)
              const opened = decipher.update(ciphertext)
              decipher.final()
              return opened
            },
          },
        ],
      },
    ]
  })
}
