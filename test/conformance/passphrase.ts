import { decrypt, encrypt, encryptSync, inspect } from 'waxseal'
import { passphraseKeyring } from 'waxseal/kms/passphrase'
import { pattern } from './bytes.ts'
import { equal, rejects, sameBytes, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { group, type Case } from './runtime.ts'

const CONTEXT = { encryptionContext: { tenant: 'a' } }

/** Argon2id comes as a module of its own, in bytes: where these may not be compiled, the keyring says so at once. */
export const passphraseCases: readonly Case[] = group('a passphrase keyring', {
  'opens what it wrote, and nothing else does': async ({ compilesBytes }) => {
    if (!compilesBytes) {
      throws(() => passphraseKeyring({ passphrase: 'correct horse' }), EXPECTED.unsupported, 'passphraseKeyring')
      return
    }
    // The same passphrase in two forms, which Unicode composes to one.
    const writer = passphraseKeyring({ passphrase: 'café' })
    const reader = passphraseKeyring({ passphrase: 'cafe\u0301' })
    const message = await encrypt(writer, pattern(40), CONTEXT)
    equal(inspect(message).encryptedDataKeys[0]?.providerId, 'waxseal-passphrase', 'the provider id')
    sameBytes((await decrypt(reader, message, CONTEXT)).plaintext, pattern(40), 'the plaintext')
    const other = passphraseKeyring({ passphrase: 'cafe' })
    await rejects(() => decrypt(other, message), EXPECTED.authentication, 'decrypt with another passphrase')
    throws(() => encryptSync(writer, pattern(3)), EXPECTED.unsupported, 'encryptSync')
    writer.dispose()
    await rejects(() => encrypt(writer, pattern(3)), EXPECTED.disposed, 'encrypt after its disposal')
  },
  'refuses what is no passphrase': () => {
    throws(() => passphraseKeyring({ passphrase: '' }), EXPECTED.range, 'an empty passphrase')
    throws(() => passphraseKeyring({ passphrase: 'a'.repeat(4097) }), EXPECTED.range, 'a long passphrase')
    throws(() => passphraseKeyring({ passphrase: '\ud83d' }), EXPECTED.type, 'a lone surrogate')
  },
})
