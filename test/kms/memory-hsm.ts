import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { KeyStoreError, type HsmCluster, type HsmKeyStore, type StoreFault } from '../../kms/key-stores/key-store.ts'

export const CLUSTER = 'cluster-234567abcde'
/** Another name for the same module. */
export const OTHER_CLUSTER = 'cluster-765432edcba'
export const PIN = '12345678'

/** A hardware security module in the memory of a test, with switches for what can be wrong with one. */
export class MemoryHsm implements HsmCluster {
  readonly keys: Map<string, Buffer> = new Map<string, Buffer>()
  trustAnchor: string | undefined = undefined
  /** What the next work fails with. */
  fault: StoreFault | undefined = undefined
  isConnected = false
  /** Runs in each work, outside of any transaction. */
  during: () => void | Promise<void> = () => undefined

  probe(): Promise<void> {
    return this.#work(() => undefined)
  }

  keyStore(pin: Uint8Array): HsmKeyStore {
    const given = Buffer.from(pin).toString()
    const work = <T>(run: () => T): Promise<T> =>
      this.#work(() => {
        if (given !== PIN) throw new KeyStoreError('hsmWrongPin')
        this.isConnected = true
        return run()
      })
    return {
      check: () => work(() => undefined),
      addKey: (id) => work(() => void this.keys.set(id, randomBytes(32))),
      random: (length) => work(() => Uint8Array.from(randomBytes(length))),
      encrypt: (id, plaintext, aad) =>
        work(() => {
          const iv = randomBytes(12)
          const cipher = createCipheriv('aes-256-gcm', this.#key(id), iv).setAAD(aad)
          const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
          return { ciphertext, iv, tag: cipher.getAuthTag(), metadata: new Uint8Array() }
        }),
      decrypt: (id, { ciphertext, iv, tag }, aad) =>
        work(() => {
          const decipher = createDecipheriv('aes-256-gcm', this.#key(id), iv).setAAD(aad).setAuthTag(tag)
          try {
            return Uint8Array.from(Buffer.concat([decipher.update(ciphertext), decipher.final()]))
          } catch {
            throw new KeyStoreError('invalidCiphertext')
          }
        }),
    }
  }

  removeKey(id: string): Promise<void> {
    if (!this.isConnected) return Promise.reject(new KeyStoreError('hsmAbsent'))
    this.keys.delete(id)
    return Promise.resolve()
  }

  disconnect(): Promise<void> {
    this.isConnected = false
    return Promise.resolve()
  }

  #key(id: string): Buffer {
    const key = this.keys.get(id)
    if (!key) throw new KeyStoreError('hsmKeyNotFound')
    return key
  }

  async #work<T>(run: () => T): Promise<T> {
    await this.during()
    if (this.fault) throw new KeyStoreError(this.fault)
    return run()
  }
}
