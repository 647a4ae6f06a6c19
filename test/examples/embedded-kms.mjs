// Run by run.mjs in each runtime with SQLite: keys of an embedded KMS outlive it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decrypt, encrypt } from 'waxseal'
import { kmsKeyring } from 'waxseal/kms'
import { localKms } from 'waxseal/kms/local'

const folder = await mkdtemp(join(tmpdir(), 'waxseal-embedded-kms-'))
const files = { directory: join(folder, 'kms'), rootKeyFile: join(folder, 'root.key') }
try {
  const first = await localKms(files)
  const { KeyMetadata } = await first.engine.call('CreateKey', {})
  const keyring = kmsKeyring({ provider: first.provider, generatorKeyId: KeyMetadata.Arn })
  const message = await encrypt(keyring, new Uint8Array([1, 2, 3]))
  await first.close()

  const second = await localKms(files)
  const { plaintext } = await decrypt(kmsKeyring({ provider: second.provider, discovery: true }), message)
  await second.close()
  console.log(plaintext.join())
} finally {
  await rm(folder, { recursive: true, force: true })
}
