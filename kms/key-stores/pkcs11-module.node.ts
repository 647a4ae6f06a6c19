import type { Buffer } from 'node:buffer'
import { UnsupportedError } from '../../bindings/errors.ts'

/** What this library uses of graphene-pk11, which is no dependency: it is there where somebody has a module. */
export interface Graphene {
  readonly Module: { load(library: string, name: string): Pkcs11Module }
  readonly SessionFlag: { readonly SERIAL_SESSION: number; readonly RW_SESSION: number }
  readonly KeyGenMechanism: { readonly AES: number }
  readonly ObjectClass: { readonly SECRET_KEY: number }
  readonly AesGcmParams: new (iv: Buffer, aad: Buffer, tagBits: number) => object
}

export interface Pkcs11Module {
  initialize(options: { flags: number }): void
  getSlots(hasToken: boolean): Collection<Slot>
}

export interface Collection<T> {
  readonly length: number
  items(index: number): T
}

export interface Slot {
  getToken(): { readonly label: string }
  getMechanisms(): Collection<{ readonly name: string }>
  open(flags: number): Session
}

export interface KeyObject {
  getAttribute(template: { extractable: null; sensitive: null }): { extractable?: boolean; sensitive?: boolean }
  destroy(): void
  toType(): KeyObject
}

export interface Session {
  login(pin: string): void
  close(): void
  find(template: object): Collection<KeyObject>
  generateKey(mechanism: number, template: object, done: (error: Error | null, key: KeyObject) => void): void
  generateRandom(length: number): Buffer
  createCipher(algorithm: object, key: KeyObject): Once
  createDecipher(algorithm: object, key: KeyObject): Once
}

interface Once {
  once(input: Buffer, output: Buffer, done: (error: Error | null, data: Buffer) => void): void
}

/** Not as a literal in the import: bundlers would look for it. */
const PACKAGE = 'graphene-pk11'

/** @throws UnsupportedError if the package is not installed, or was not compiled */
export async function loadGraphene(): Promise<Graphene> {
  try {
    const module = (await import(PACKAGE)) as { default?: Graphene } & Graphene
    return module.default ?? module
  } catch (cause) {
    throw new UnsupportedError('PKCS #11 needs a package: `npm install graphene-pk11`', { cause })
  }
}
