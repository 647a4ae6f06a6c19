/** What needs files: a part of its own, because browsers and Workers could not load it. */
import { decrypt, encrypt } from 'waxseal'
import { kmsKeyring } from 'waxseal/kms'
import { localKms, type LocalKms } from 'waxseal/kms/local'
import { pattern } from './bytes.ts'
import { equal, isTrue, rejects, sameBytes } from './check.ts'
import { EXPECTED } from './expected.ts'
import { group, type Case, type Runtime } from './runtime.ts'

/** The suite's own folder for each case, and the root key beside it. */
function open(name: string, create = true): Promise<LocalKms> {
  return localKms({ directory: `kms/${name}`, rootKeyFile: `root-keys/${name}.key`, create })
}

/** Runs the case where the runtime has SQLite; elsewhere the call must say what to install. */
function withSqlite(run: (name: string) => Promise<void>): Case['run'] {
  return async ({ hasSqlite }: Runtime) => {
    const name = `${run.name}-${String(Date.now())}`
    if (hasSqlite === true) {
      await run(name)
    } else {
      const { message } = await rejects(() => open(name), EXPECTED.unsupported, 'localKms')
      isTrue(message.includes('npm install libsql'), `it says what to install: ${message}`)
    }
  }
}

async function reopened(name: string): Promise<void> {
  const first = await open(name)
  const { KeyMetadata } = await first.engine.call('CreateKey', {})
  await first.engine.call('CreateAlias', { AliasName: 'alias/k', TargetKeyId: KeyMetadata.KeyId })
  const sealing = kmsKeyring({ provider: first.provider, generatorKeyId: 'alias/k' })
  const message = await encrypt(sealing, pattern(1000), { encryptionContext: { tenant: 'a' } })
  await first.close()
  const second = await open(name, false)
  const opening = kmsKeyring({ provider: second.provider, generatorKeyId: KeyMetadata.Arn })
  sameBytes((await decrypt(opening, message)).plaintext, pattern(1000), 'the plaintext')
  await second.close()
}

async function twoAtOnce(name: string): Promise<void> {
  const [first, second] = [await open(name), await open(name)]
  const keys = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? first : second).engine.call('CreateKey', {}))
  const ids = new Set((await Promise.all(keys)).map(({ KeyMetadata }) => KeyMetadata.KeyId))
  equal(ids.size, 10, 'the number of keys made')
  for (const kms of [first, second]) {
    const { Keys } = await kms.engine.call('ListKeys', {})
    equal(Keys.filter(({ KeyId }) => ids.has(KeyId)).length, 10, 'the number of keys seen')
    await kms.close()
  }
}

async function absent(name: string): Promise<void> {
  const error = await rejects(() => open(name, false), EXPECTED.kms, 'localKms')
  equal(error.name, 'NotFoundException', 'the name of the exception')
  const inside = { directory: `kms/${name}`, rootKeyFile: `kms/${name}/root.key` }
  await rejects(() => localKms(inside), EXPECTED.range, 'localKms with the root key in the directory')
}

/** The embedded key management service on SQLite: the runtime's own, or an error that says what to install. */
export const fileCases: readonly Case[] = group('kms in files', {
  'is there after it was closed': withSqlite(reopened),
  'opened twice at once': withSqlite(twoAtOnce),
  'is not made unless it is asked for': withSqlite(absent),
})
