import { encryptStream, type EncryptStreamOptions, type Keyring, type RawAesKeyring } from 'waxseal'
import { equal, isExpected, isFresh, isTrue, type Expected } from './check.ts'
import { aesKeyring } from './keyrings.ts'
import { pour, type Poured } from './pouring.ts'

export const keyring: RawAesKeyring = aesKeyring()
export const SIGNED = { algorithmSuite: 0x0578, frameLength: 16 } as const
export const ALLOW = { signedStreams: 'allow' } as const

/** What comes out of a stream that must not fail. */
export async function outputOf(poured: Promise<Poured>): Promise<Uint8Array> {
  const { chunks, output, failures } = await poured
  if (failures.length > 0) throw failures[0]
  for (const chunk of chunks) isFresh(chunk, 'each chunk')
  return output
}

export function encryptPieces(input: Iterable<Uint8Array>, options: EncryptStreamOptions = {}): Promise<Uint8Array> {
  return outputOf(pour(encryptStream(keyring, options), input))
}

/** Both sides fail, with the same error. */
export function fails({ failures }: Poured, expected: Expected, what: string): void {
  isTrue(failures.length > 0, `${what}: the stream fails`)
  isExpected(failures[0], expected, what)
  for (const failure of failures) equal(failure, failures[0], `${what}: the error of the other side`)
}

export function failsBoth({ failures }: Poured, reason: unknown): void {
  equal(failures.length, 2, 'the number of sides that fail')
  for (const failure of failures) equal(failure, reason, 'the reason')
}

/** A keyring that counts how often it is asked, and shows the data keys that the library takes over. */
export function watched(): { readonly keyring: Keyring; readonly dataKeys: Uint8Array[]; calls: number } {
  const watching: Keyring = {
    wrap: async (materials) => {
      watch.calls++
      await keyring.wrap(materials)
      if (materials.dataKey !== undefined) watch.dataKeys.push(materials.dataKey)
    },
    unwrap: async (materials, encryptedDataKeys) => {
      watch.calls++
      const dataKey = await keyring.unwrap(materials, encryptedDataKeys)
      if (dataKey !== undefined) watch.dataKeys.push(dataKey)
      return dataKey
    },
  }
  const watch = { keyring: watching, dataKeys: [] as Uint8Array[], calls: 0 }
  return watch
}

/** Time for all that needs no more than promises and timers. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 5)
  })
}
