import { localKms } from '../../kms/providers/local.ts'

// create-keys.ts DIRECTORY ROOT-KEY-FILE COUNT: a process that makes keys with an alias each, and prints of each, once
// it is there, `key id` and a ciphertext under it.
const [, , directory = '', rootKeyFile = '', count = ''] = process.argv
const { engine, close } = await localKms({ directory, rootKeyFile })
for (let i = 0; i < Number(count); i++) {
  const { KeyMetadata } = await engine.call('CreateKey', { Description: String(process.pid) })
  const KeyId = KeyMetadata.KeyId
  await engine.call('CreateAlias', { AliasName: `alias/of-${KeyId}`, TargetKeyId: KeyId })
  const Plaintext = new TextEncoder().encode(KeyId)
  const { CiphertextBlob } = await engine.call('Encrypt', { KeyId: `alias/of-${KeyId}`, Plaintext })
  process.stdout.write(`${KeyId} ${Buffer.from(CiphertextBlob).toString('base64')}\n`)
}
await close()
