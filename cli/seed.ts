import { KmsError, type Engine } from '../kms/engine/index.ts'
import { readSeedFile } from './seed-file.ts'

/** How many keys and aliases a seed file had, and how many of them were made: the others were there. */
export interface Seeded {
  readonly keys: number
  readonly aliases: number
  readonly made: number
}

/**
 * Makes the keys and aliases of a seed file, in the first Region, and wipes their material. What is there already is
 * left as it is.
 *
 * @throws CommandError for a file that is not in its form, before anything is made
 */
export async function seed(engine: Engine, path: string): Promise<Seeded> {
  const { keys, aliases } = await readSeedFile(path)
  let made = 0
  try {
    for (const key of keys) {
      made += await unlessPresent(
        () => engine.call('DescribeKey', { KeyId: key.keyId }),
        () => engine.seedKey(key),
      )
    }
  } finally {
    for (const { materials } of keys) for (const material of materials) material.fill(0)
  }
  for (const alias of aliases) {
    made += await unlessPresent(
      () => engine.call('DescribeKey', { KeyId: alias.AliasName }),
      () => engine.call('CreateAlias', alias),
    )
  }
  return { keys: keys.length, aliases: aliases.length, made }
}

/** Looks first; answers 1 if something was made. */
async function unlessPresent(look: () => Promise<unknown>, make: () => Promise<unknown>): Promise<0 | 1> {
  try {
    await look()
    return 0
  } catch (error) {
    if (!(error instanceof KmsError) || error.name !== 'NotFoundException') throw error
  }
  try {
    await make()
    return 1
  } catch (error) {
    // Another process was first.
    if (error instanceof KmsError && error.name === 'AlreadyExistsException') return 0
    throw error
  }
}
