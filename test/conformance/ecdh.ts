import { decrypt, decryptSync, encrypt, encryptSync, inspect, multiKeyring, type Keyring } from 'waxseal'
import { rawEcdhKeyring, type EcdhCurve } from 'waxseal/ecdh'
import { pattern } from './bytes.ts'
import { equal, isTrue, rejects, sameBytes, throws, type Expected } from './check.ts'
import { der, EC_CURVES, EC_KEYS, pem } from './ec-keys.ts'
import { EXPECTED } from './expected.ts'
import { aesKeyring } from './keyrings.ts'
import type { Case, Runtime } from './runtime.ts'

const CONTEXT = { tenant: 'a', '🔒': 'beyond the BMP' }

interface Keyrings {
  /** From the sender to the recipient, each in his own words. */
  readonly sender: Keyring
  readonly recipient: Keyring
  readonly ephemeral: Keyring
  readonly discovery: Keyring
}

export function ecdhKeyrings(curve: EcdhCurve): Keyrings {
  const { sender, recipient } = EC_KEYS[curve]
  const schema = 'RawPrivateKeyToStaticPublicKey'
  const recipientPublicKey = pem('PUBLIC KEY', recipient.publicKey)
  return {
    sender: rawEcdhKeyring({ schema, curve, senderPrivateKey: der(sender.privateKey), recipientPublicKey }),
    recipient: rawEcdhKeyring({
      schema,
      curve,
      senderPrivateKey: pem('PRIVATE KEY', recipient.privateKey),
      recipientPublicKey: der(sender.publicKey),
    }),
    ephemeral: rawEcdhKeyring({ schema: 'EphemeralPrivateKeyToStaticPublicKey', curve, recipientPublicKey }),
    discovery: rawEcdhKeyring({
      schema: 'PublicKeyDiscovery',
      curve,
      recipientPrivateKey: pem('PRIVATE KEY', recipient.privateKey),
    }),
  }
}

async function schemas(curve: EcdhCurve, { hasSyncAsymmetric }: Runtime): Promise<void> {
  const { sender, recipient, ephemeral, discovery } = ecdhKeyrings(curve)
  for (const [from, to, name] of [
    [sender, recipient, 'sender to recipient'],
    [sender, sender, 'sender to himself'],
    [sender, discovery, 'sender to discovery'],
    [recipient, sender, 'recipient to sender'],
    [ephemeral, discovery, 'ephemeral to discovery'],
  ] as const) {
    const message = await encrypt(from, pattern(40), { encryptionContext: CONTEXT })
    equal(inspect(message).encryptedDataKeys[0]?.providerId, 'raw-ecdh', 'the provider id')
    sameBytes((await decrypt(to, message)).plaintext, pattern(40), `the plaintext, ${name}`)
    if (hasSyncAsymmetric) {
      sameBytes(decryptSync(to, encryptSync(from, pattern(40))).plaintext, pattern(40), `the plaintext, ${name}, sync`)
    } else {
      throws(() => encryptSync(from, pattern(40)), EXPECTED.unsupported, 'encryptSync')
      throws(() => decryptSync(to, message), EXPECTED.unsupported, 'decryptSync')
    }
  }
  const toRecipient = await encrypt(ephemeral, pattern(3))
  await rejects(() => decrypt(sender, toRecipient), EXPECTED.keyUnavailable, 'decrypt of a message to another')
  await rejects(() => decrypt(ephemeral, toRecipient), EXPECTED.keyUnavailable, 'decrypt with the ephemeral schema')
  await rejects(() => encrypt(discovery, pattern(3)), EXPECTED.unsupported, 'encrypt with discovery')
}

async function tampering(curve: EcdhCurve): Promise<void> {
  const { ephemeral, discovery } = ecdhKeyrings(curve)
  const message = await encrypt(ephemeral, pattern(3), { encryptionContext: { a: 'b' } })
  const { byteLength } = inspect(message)
  // The header ends in content type 1, frame length 4, commitment 32, tag 16; before it the encrypted data key: nonce
  // 32, commitment 32, data key 32, tag 16.
  const end = byteLength - 53
  for (const at of [end - 1, end - 20, end - 50, end - 100]) {
    const changed = message.slice()
    changed[at]! ^= 1
    await rejects(() => decrypt(discovery, changed), EXPECTED.authentication, `byte ${at}`)
  }
}

function mistakes(): void {
  const { sender, recipient } = EC_KEYS['P-256']
  const curve = 'P-256'
  const mistake = (value: unknown): never => value as never
  const discovery = (change: object): unknown =>
    rawEcdhKeyring(
      mistake({ schema: 'PublicKeyDiscovery', curve, recipientPrivateKey: der(sender.privateKey), ...change }),
    )
  const ephemeral = (recipientPublicKey: unknown): unknown =>
    rawEcdhKeyring({
      schema: 'EphemeralPrivateKeyToStaticPublicKey',
      curve,
      recipientPublicKey: mistake(recipientPublicKey),
    })
  const refused: readonly (readonly [() => unknown, Expected, string])[] = [
    [() => discovery({ curve: 'P-224' }), EXPECTED.type, 'another curve'],
    [() => discovery({ curve: 'P-384' }), EXPECTED.type, 'a key of another curve'],
    [() => discovery({ schema: 'static' }), EXPECTED.type, 'no schema'],
    [() => discovery({ recipientPrivateKey: undefined }), EXPECTED.type, 'no key'],
    [() => discovery({ recipientPrivateKey: der(recipient.publicKey) }), EXPECTED.type, 'a public key'],
    [() => ephemeral(pem('PRIVATE KEY', sender.privateKey)), EXPECTED.type, 'a private key'],
    [() => ephemeral(der(sender.publicKey).subarray(0, 80)), EXPECTED.type, 'half a key'],
    [() => ephemeral(5), EXPECTED.type, 'a number'],
  ]
  for (const [act, expected, what] of refused) throws(act, expected, what)
  const offCurve = der(sender.publicKey).slice()
  offCurve[offCurve.length - 1]! ^= 1
  throws(() => ephemeral(offCurve), EXPECTED.type, 'a point that is not on the curve')
}

async function cryptoKeys(): Promise<void> {
  const algorithm = { name: 'ECDH', namedCurve: 'P-256' }
  const pair = await crypto.subtle.generateKey(algorithm, false, ['deriveBits'])
  const { publicKey: recipientPublicKey, privateKey: recipientPrivateKey } = pair
  const curve = 'P-256'
  const to = rawEcdhKeyring({ schema: 'EphemeralPrivateKeyToStaticPublicKey', curve, recipientPublicKey })
  const own = rawEcdhKeyring({ schema: 'PublicKeyDiscovery', curve, recipientPrivateKey, recipientPublicKey })
  sameBytes((await decrypt(own, await encrypt(to, pattern(9)))).plaintext, pattern(9), 'the plaintext')
}

async function inMultiKeyring(): Promise<void> {
  const { ephemeral, discovery } = ecdhKeyrings('P-256')
  const both = multiKeyring({ generator: ephemeral, children: [aesKeyring(), ecdhKeyrings('P-384').sender] })
  const message = await encrypt(both, pattern(7))
  for (const keyring of [discovery, aesKeyring(), ecdhKeyrings('P-384').recipient, both]) {
    sameBytes((await decrypt(keyring, message)).plaintext, pattern(7), 'the plaintext')
  }
  isTrue(inspect(message).encryptedDataKeys.length === 3, 'there are three encrypted data keys')
}

/** What a runtime without a curve says. */
function onCurve(curve: EcdhCurve, run: (curve: EcdhCurve, runtime: Runtime) => Promise<void>): Case['run'] {
  return async (runtime) => {
    if (curve !== 'P-521' || runtime.hasP521) return run(curve, runtime)
    await rejects(() => encrypt(ecdhKeyrings(curve).ephemeral, pattern(3)), EXPECTED.unsupported, 'encrypt')
  }
}

/** Raw ECDH on each curve: the three schemas, what is refused, and every form of key. */
export const ecdhCases: readonly Case[] = [
  ...EC_CURVES.flatMap((curve): readonly Case[] => [
    { name: `ECDH, ${curve}: the schemas`, run: onCurve(curve, schemas) },
    { name: `ECDH, ${curve}: a changed byte`, run: onCurve(curve, tampering) },
  ]),
  { name: 'ECDH: mistakes in keys', run: mistakes },
  { name: 'ECDH: keys of WebCrypto', run: cryptoKeys },
  { name: 'ECDH: in a multi-keyring', run: inMultiKeyring },
]
