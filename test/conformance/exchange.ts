import { algorithmSuites, decrypt, encrypt, type CommitmentPolicy, type EncryptOptions, type Keyring } from 'waxseal'
import { kmsKeyring } from 'waxseal/kms'
import { fromBase64, pattern, toBase64 } from './bytes.ts'
import { equal, fail, sameBytes, throws } from './check.ts'
import { ecdhKeyrings } from './ecdh.ts'
import { EXPECTED } from './expected.ts'
import { staticHierarchicalKeyring } from './hierarchical.ts'
import { aesKeyring, aesPairKeyring, RSA_PADDINGS, rsaKeyring, type RsaPair } from './keyrings.ts'
import { newKms } from './kms.ts'
import { nameOf, policyOf } from './round-trips.ts'
import type { Case, Runtime } from './runtime.ts'

/** Messages that one runtime wrote, in base64, by the names of {@link recipes}. */
export type Written = Readonly<Record<string, string>>

const PLAINTEXT_BYTES = 333
const CONTEXT = { written: 'in one runtime', 'read in': 'all' }

/** How a message is written and read: the keys are the same in every runtime. */
interface Recipe {
  readonly keyring: () => Keyring | Promise<Keyring>
  readonly options: EncryptOptions & { readonly commitmentPolicy?: CommitmentPolicy }
  readonly needsPkcs1: boolean
}

/** The same bytes in every runtime, so that each has the same KMS key. */
function repeatableRandom(): (length: number) => Uint8Array {
  let calls = 0
  return (length) => pattern(length, 1000 + calls++)
}

function recipes(pair: RsaPair): ReadonlyMap<string, Recipe> {
  const recipe = (keyring: Recipe['keyring'], options: Recipe['options'] = {}, needsPkcs1 = false): Recipe => ({
    keyring,
    options: { encryptionContext: CONTEXT, frameLength: 128, ...options },
    needsPkcs1,
  })
  return new Map([
    ...algorithmSuites.map((suite): [string, Recipe] => {
      const options = { algorithmSuite: suite.id, commitmentPolicy: policyOf(suite) }
      return [nameOf(suite), recipe(() => aesKeyring(suite.keyBytes), options)]
    }),
    ...RSA_PADDINGS.map((padding): [string, Recipe] => {
      return [`RSA ${padding}`, recipe(() => rsaKeyring(padding, pair), {}, padding === 'pkcs1')]
    }),
    ['multi-keyring', recipe(aesPairKeyring)],
    // Of P-521 one runtime might have nothing.
    ...(['P-256', 'P-384'] as const).map((curve): [string, Recipe] => {
      return [`ECDH ${curve}`, recipe(() => ecdhKeyrings(curve).sender)]
    }),
    ['hierarchical', recipe(() => staticHierarchicalKeyring())],
    ['required context', recipe(() => aesKeyring(), { requiredEncryptionContextKeys: ['written'] })],
    [
      'KMS',
      recipe(async () => {
        const { provider, arn } = await newKms(repeatableRandom())
        return kmsKeyring({ provider, generatorKeyId: arn })
      }),
    ],
  ])
}

/** Writes one message of each recipe that this runtime can. */
export async function writeMessages(pair: RsaPair, runtime: Runtime): Promise<Written> {
  const written: Record<string, string> = {}
  for (const [name, { keyring, options, needsPkcs1 }] of recipes(pair)) {
    if (needsPkcs1 && !runtime.hasPkcs1) continue
    written[name] = toBase64(await encrypt(await keyring(), pattern(PLAINTEXT_BYTES), options))
  }
  return written
}

async function read({ keyring, options }: Recipe, message: string): Promise<void> {
  const { plaintext, header } = await decrypt(await keyring(), fromBase64(message), options)
  sameBytes(plaintext, pattern(PLAINTEXT_BYTES), 'the plaintext')
  if (options.algorithmSuite !== undefined) equal(header.algorithmSuite.id, options.algorithmSuite, 'the suite')
}

/** Reads every message that a runtime, the writer, has written. */
export function readingCases(pair: RsaPair, writer: string, written: Written): readonly Case[] {
  const all = recipes(pair)
  return Object.entries(written).map(([name, message]) => ({
    name: `message of ${writer}: ${name}`,
    run: async (runtime) => {
      const recipe = all.get(name) ?? fail('nobody knows how to read it')
      if (!recipe.needsPkcs1 || runtime.hasPkcs1) await read(recipe, message)
      else throws(() => void recipe.keyring(), EXPECTED.unsupported, 'rawRsaKeyring')
    },
  }))
}
