import { cachingMaterials } from '../../src/index.ts'
import type { CachingMaterials, CachingMaterialsOptions, Keyring } from '../../src/index.ts'
import { aes } from './src-setup.ts'

/** A keyring that answers later, counts, can be held back and made to fail, and shows the data keys that it gave away. */
export class SlowKeyring implements Keyring {
  wraps = 0
  unwraps = 0
  readonly dataKeys: Uint8Array[] = []
  readonly signals: (AbortSignal | undefined)[] = []
  failure: Error | undefined
  #release: (() => void)[] = []
  #isHeld = false

  /** Calls wait from now on. */
  hold(): void {
    this.#isHeld = true
  }

  /** Calls that wait go on, and later ones do not wait. */
  release(): void {
    this.#isHeld = false
    for (const go of this.#release.splice(0)) go()
  }

  get waiting(): number {
    return this.#release.length
  }

  async #pass(signal: AbortSignal | undefined): Promise<void> {
    this.signals.push(signal)
    if (!this.#isHeld) await Promise.resolve()
    else {
      await new Promise<void>((resolve, reject) => {
        this.#release.push(resolve)
        signal?.addEventListener('abort', () => {
          reject(signal.reason as Error)
        })
      })
    }
    if (this.failure !== undefined) throw this.failure
  }

  async wrap(materials: Parameters<Keyring['wrap']>[0]): Promise<void> {
    this.wraps += 1
    await this.#pass(materials.signal)
    await aes.wrap(materials)
    this.dataKeys.push(materials.dataKey!)
  }

  async unwrap(...args: Parameters<Keyring['unwrap']>): Promise<Uint8Array | undefined> {
    this.unwraps += 1
    await this.#pass(args[0].signal)
    const dataKey = await aes.unwrap(...args)
    if (dataKey !== undefined) this.dataKeys.push(dataKey)
    return dataKey
  }
}

export interface Setup {
  readonly keyring: SlowKeyring
  readonly materials: CachingMaterials
  /** Seconds go by. */
  readonly pass: (seconds: number) => void
}

/** A cache over a slow keyring, with a clock that stands still. */
export function setUp(options: Partial<CachingMaterialsOptions> = {}): Setup {
  const keyring = new SlowKeyring()
  let now = 1e6
  const clock = (): number => now
  const materials = cachingMaterials({ keyring, maxAge: 100, ...(options.cache ? {} : { clock }), ...options })
  return { keyring, materials, pass: (seconds) => void (now += seconds * 1000) }
}

/** All that is due has happened. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve()
}

export function isWiped(bytes: Uint8Array | undefined): boolean {
  return bytes?.every((byte) => byte === 0) ?? false
}
