import { sha256, timingSafeEqual } from '../../bindings/core.ts'
import { KeyStoreError, type StoreFault } from './key-store.ts'
import { loadGraphene, type Graphene, type Pkcs11Module, type Session, type Slot } from './pkcs11-module.node.ts'

/** Which token of which library. */
export interface TokenName {
  readonly library: string
  /** The token's label, without the blanks at its end. */
  readonly token: string
  readonly maxSessions: number
}

/** A session, with the package that it is of. */
export interface OpenSession {
  readonly session: Session
  readonly graphene: Graphene
}

/** Return values (PKCS #11 version 2.40, §5.1) that say more than that something failed. */
const FAULTS: Readonly<Record<string, StoreFault>> = {
  CKR_DEVICE_REMOVED: 'hsmAbsent',
  CKR_MECHANISM_INVALID: 'hsmUnsuitable',
  CKR_PIN_EXPIRED: 'hsmLockedOut',
  CKR_PIN_INCORRECT: 'hsmWrongPin',
  CKR_PIN_INVALID: 'hsmWrongPin',
  CKR_PIN_LEN_RANGE: 'hsmWrongPin',
  CKR_PIN_LOCKED: 'hsmLockedOut',
  CKR_SLOT_ID_INVALID: 'hsmAbsent',
  CKR_TOKEN_NOT_PRESENT: 'hsmAbsent',
  CKR_TOKEN_NOT_RECOGNIZED: 'hsmAbsent',
  CKR_USER_PIN_NOT_INITIALIZED: 'hsmNoUser',
}

/** The library is used by several threads (PKCS #11 version 2.40, §5.4: without this it may do without locks). */
const CKF_OS_LOCKING_OK = 2

const MECHANISMS = ['AES_GCM', 'AES_KEY_GEN'] as const

/** A process initialises a library once, and all of its tokens with it. */
const modules = new Map<string, Pkcs11Module>()

/** Digests of the PINs that tokens took: a process logs in to a token once, and all of its sessions with it. */
const acceptedPins = new Map<string, Uint8Array>()

/** The name of the return value that an error of the package is. */
export function returnValue(error: unknown): string {
  return (error instanceof Error ? /CKR_\w+/.exec(error.message)?.[0] : undefined) ?? ''
}

/** What an error of the package is to whoever uses the store. */
export function faultOf(error: unknown): KeyStoreError {
  if (error instanceof KeyStoreError) return error
  return new KeyStoreError(FAULTS[returnValue(error)] ?? 'hsmFailed', { cause: error })
}

/**
 * One token, and the sessions with it. The application is logged in as long as one session is open: that of the login
 * is kept for that alone, and the others each do one piece of work at a time.
 */
export class Pkcs11Token {
  readonly #name: TokenName
  #login: OpenSession | undefined
  #free: Session[] = []
  #open = 0
  #waiting: (() => void)[] = []
  /** Digest of a PIN that was wrong: tried again and again it would lock the token. */
  #wrongPin: Uint8Array | undefined
  readonly #key: string

  constructor(name: TokenName) {
    this.#name = name
    this.#key = JSON.stringify([name.library, name.token])
  }

  /** Finds the token, and that it can do what it must. @throws KeyStoreError `hsmUnsuitable`, `hsmAbsent` */
  async probe(): Promise<Slot> {
    const { library, token } = this.#name
    let module: Pkcs11Module
    try {
      module = await loadModule(library)
    } catch (cause) {
      throw new KeyStoreError('hsmUnsuitable', { cause })
    }
    try {
      const slots = items(module.getSlots(true)).filter((slot) => slot.getToken().label.trimEnd() === token)
      const [slot] = slots
      if (!slot) throw new KeyStoreError('hsmAbsent')
      const names = items(slot.getMechanisms()).map(({ name }) => name)
      if (slots.length > 1 || MECHANISMS.some((name) => !names.includes(name))) {
        throw new KeyStoreError('hsmUnsuitable')
      }
      return slot
    } catch (error) {
      throw faultOf(error)
    }
  }

  /** Works in a session of its own, after a login if there is none and a PIN is given. @throws KeyStoreError */
  async withSession<T>(pin: Uint8Array | undefined, work: (open: OpenSession) => Promise<T>): Promise<T> {
    while (this.#open >= this.#name.maxSessions) await new Promise<void>((resume) => this.#waiting.push(resume))
    this.#open++
    try {
      const login = await this.#loggedIn(pin)
      const { graphene } = login
      const session = this.#free.pop() ?? (await this.#newSession(graphene))
      try {
        const result = await work({ session, graphene })
        // After a disconnection it would keep the application logged in.
        if (this.#login === login) this.#free.push(session)
        else close(session)
        return result
      } catch (error) {
        // What is left of the work in the session is nobody's any more.
        close(session)
        throw error
      }
    } catch (error) {
      const fault = faultOf(error)
      if (fault.fault === 'hsmFailed' || fault.fault === 'hsmAbsent') this.disconnect()
      throw fault
    } finally {
      this.#open--
      this.#waiting.shift()?.()
    }
  }

  disconnect(): void {
    for (const session of this.#free.splice(0)) close(session)
    if (this.#login) close(this.#login.session)
    this.#login = undefined
  }

  async #loggedIn(pin: Uint8Array | undefined): Promise<OpenSession> {
    const digest = pin && sha256(pin)
    if (this.#login) return this.#sameLogin(this.#login, digest)
    if (!pin || !digest) throw new KeyStoreError('hsmAbsent')
    if (this.#wrongPin && timingSafeEqual(this.#wrongPin, digest)) throw new KeyStoreError('hsmWrongPin')
    const graphene = await loadGraphene()
    const session = await this.#newSession(graphene)
    try {
      // Another call may have logged in meanwhile.
      const known = this.#login as OpenSession | undefined
      if (known) {
        close(session)
        return this.#sameLogin(known, digest)
      }
      this.#logIn(session, pin, digest)
    } catch (error) {
      close(session)
      throw error
    }
    return (this.#login = { session, graphene })
  }

  /** A login is that of its PIN, and of nobody who has another one. */
  #sameLogin(login: OpenSession, digest: Uint8Array | undefined): OpenSession {
    if (digest) this.#assertAccepted(digest)
    return login
  }

  #logIn(session: Session, pin: Uint8Array, digest: Uint8Array): void {
    try {
      session.login(new TextDecoder().decode(pin))
    } catch (error) {
      // The token looked at no PIN then.
      if (returnValue(error) === 'CKR_USER_ALREADY_LOGGED_IN') return this.#assertAccepted(digest)
      if (faultOf(error).fault === 'hsmWrongPin') this.#wrongPin = digest
      throw error
    }
    acceptedPins.set(this.#key, digest)
    // The token counts from zero again, too.
    this.#wrongPin = undefined
  }

  /** @throws KeyStoreError `hsmWrongPin`; `hsmFailed` if something else in the process logged in, with who knows what */
  #assertAccepted(digest: Uint8Array): void {
    const accepted = acceptedPins.get(this.#key)
    if (!accepted) throw new KeyStoreError('hsmFailed')
    if (!timingSafeEqual(accepted, digest)) throw new KeyStoreError('hsmWrongPin')
  }

  async #newSession({ SessionFlag }: Graphene): Promise<Session> {
    return (await this.probe()).open(SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION)
  }
}

async function loadModule(library: string): Promise<Pkcs11Module> {
  const { Module } = await loadGraphene()
  const known = modules.get(library)
  if (known) return known
  const module = Module.load(library, library)
  try {
    module.initialize({ flags: CKF_OS_LOCKING_OK })
  } catch (error) {
    if (returnValue(error) !== 'CKR_CRYPTOKI_ALREADY_INITIALIZED') throw error
  }
  modules.set(library, module)
  return module
}

function items<T>(collection: { readonly length: number; items(index: number): T }): readonly T[] {
  return Array.from({ length: collection.length }, (_, index) => collection.items(index))
}

/** A session that cannot be closed is gone already. */
function close(session: Session): void {
  try {
    session.close()
  } catch {
    // Nothing is left to be closed.
  }
}
