import { InvalidArgumentError } from 'commander'
import { cachingMaterials, type CachingMaterials, type Keyring } from '../src/index.ts'
import { assertKnown, parseAttributes } from './attributes.ts'
import type { OptionRow } from './command.ts'

/** Limits of a data key that serves several messages. */
export interface Caching {
  readonly maxAge: number
  readonly maxMessages?: number
  readonly maxBytes?: number
  readonly capacity?: number
}

/** What each name may be: the bounds of the cache itself. */
const LIMITS = {
  'max-age': ['maxAge', 2 ** 31],
  'max-messages': ['maxMessages', 2 ** 32],
  'max-bytes': ['maxBytes', Number.MAX_SAFE_INTEGER],
  capacity: ['capacity', 2 ** 24],
} as const

export const CACHING_OPTION: OptionRow = {
  flags: '--caching <max-age=…>',
  text:
    'use a data key for several files: max-age=SECONDS[,max-messages=N][,max-bytes=N][,capacity=N]; a pipe, whose length ' +
    'is not known, gets one of its own',
  parse: cachingLimits,
}

/** Reads `max-age=60,capacity=10`. */
export function cachingLimits(text: string): Caching {
  const attributes = parseAttributes(text)
  assertKnown(attributes, Object.keys(LIMITS))
  if (!attributes.has('max-age')) throw new InvalidArgumentError('it needs max-age=SECONDS')
  const limits = Object.entries(LIMITS).flatMap(([name, [property, limit]]) => {
    const value = attributes.get(name)
    return value === undefined ? [] : [[property, numberUpTo(limit, name, value)]]
  })
  return Object.fromEntries(limits) as Caching
}

function numberUpTo(limit: number, name: string, text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= limit) return value
  throw new InvalidArgumentError(`${name} must be a whole number from 1 to ${limit}`)
}

/** Lets `use` work with a cache over the keyring, whose data keys are wiped after it; with the keyring if none is asked for. */
export async function withCache<T>(
  keyring: Keyring,
  caching: Caching | undefined,
  use: (source: Keyring | CachingMaterials) => Promise<T>,
): Promise<T> {
  if (caching === undefined) return use(keyring)
  const materials = cachingMaterials({ keyring, ...caching })
  try {
    return await use(materials)
  } finally {
    materials.dispose()
  }
}
