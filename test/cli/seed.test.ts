import { createHmac, generateKeyPairSync, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { KMS } from '@aws-sdk/client-kms'
import { afterAll, describe, expect, it } from 'vitest'
import { client, rootCredentials, serve, type Running } from './server.ts'
import { failed, Shell } from './shell.ts'

const shell = new Shell()
const AES = 'bc436485-5092-42b8-92a3-0aa8b93536dc'
const HMAC = '5ef77041-d1e6-4af1-9a41-e49a4b45efb6'
const RSA = 'ff275b92-0def-4dfc-b0f6-87c96b26c6c7'
const ECC = '800d5768-3fd7-4edd-a4b8-4c81c3e4c147'
// Of decimal digits alone, and as large a number as YAML could make of it.
const DIGITS = '34743777217025432046294404635266556258603272357538782043174442810'.slice(0, 64)
const SECRET = '5cdaead27fe7da2de47945d73cd6d79e36494e73802f3cd3869f1d2cb0b5d7a9'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ecc = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const RSA_PEM = rsa.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const ECC_PEM = ecc.privateKey.export({ format: 'pem', type: 'sec1' }).toString()
const indented = (pem: string): string => pem.trimEnd().replaceAll('\n', '\n          ')

const YAML = `
Keys:
  Symmetric:
    Aes:
      - Metadata:
          KeyId: ${AES}
          Description: an AES key
          Tags:
            - { TagKey: team, TagValue: "007" }
          Policy:
            Version: "2012-10-17"
            Statement:
              - { Effect: Allow, Principal: { AWS: "arn:aws:iam::000000000000:root" }, Action: "kms:*", Resource: "*" }
        NextKeyRotation: "2999-09-12T15:19:21+00:00"
        BackingKeys:
          - ${DIGITS}
          - ${SECRET}
    Hmac:
      - Metadata: { KeyId: ${HMAC} }
        BackingKeys: [${SECRET}]
  Asymmetric:
    Rsa:
      - Metadata:
          KeyId: ${RSA}
          KeyUsage: SIGN_VERIFY
        PrivateKeyPem: |
          ${indented(RSA_PEM)}
    Ecc:
      - Metadata:
          KeyId: ${ECC}
          KeyUsage: SIGN_VERIFY
        PrivateKeyPem: |
          ${indented(ECC_PEM)}
Aliases:
  - AliasName: alias/testing
    TargetKeyId: ${AES}
`

afterAll(() => shell.remove())

const start = (...args: string[]): Promise<Running> => serve(shell, '--seed', shell.path('seed.yaml'), ...args)
const clientOf = ({ url }: Running): KMS => client(url, rootCredentials(shell))

describe('waxseal serve --seed', () => {
  let ciphertext: Uint8Array

  it('makes keys with the ids and the material of the file', async () => {
    shell.write('seed.yaml', YAML)
    const running = await start()
    const kms = clientOf(running)
    const { KeyMetadata } = await kms.describeKey({ KeyId: 'alias/testing' })
    expect(KeyMetadata).toMatchObject({ KeyId: AES, Description: 'an AES key', Origin: 'AWS_KMS', KeyState: 'Enabled' })
    expect((await kms.listResourceTags({ KeyId: AES })).Tags).toEqual([{ TagKey: 'team', TagValue: '007' }])
    expect((await kms.getKeyPolicy({ KeyId: AES })).Policy).toContain('"Action":"kms:*"')
    expect((await kms.listKeyRotations({ KeyId: AES })).Rotations).toHaveLength(1)
    expect((await kms.getKeyRotationStatus({ KeyId: AES })).NextRotationDate?.getUTCFullYear()).toBe(2999)
    const Message = Buffer.from('attack at dawn')
    const { Mac } = await kms.generateMac({ KeyId: HMAC, Message, MacAlgorithm: 'HMAC_SHA_256' })
    expect(Buffer.from(Mac!)).toEqual(createHmac('sha256', Buffer.from(SECRET, 'hex')).update(Message).digest())
    for (const [KeyId, SigningAlgorithm, { publicKey }] of [
      [RSA, 'RSASSA_PKCS1_V1_5_SHA_256', rsa],
      [ECC, 'ECDSA_SHA_256', ecc],
    ] as const) {
      const { Signature } = await kms.sign({ KeyId, Message, SigningAlgorithm })
      expect(verify('sha256', Message, publicKey, Signature!)).toBe(true)
    }
    ciphertext = (await kms.encrypt({ KeyId: AES, Plaintext: Message })).CiphertextBlob!
    expect((await running.stop()).stderr).toMatch(/^waxseal: seeded from .*: 4 keys and 1 aliases, 5 of them new\n$/)
  })

  it('leaves at the next start what is there, and makes what is new', async () => {
    const changed = YAML.replace('an AES key', 'another text').replace(DIGITS, SECRET)
    shell.write('seed.yaml', `${changed}  - AliasName: alias/new\n    TargetKeyId: ${ECC}\n`)
    const running = await start()
    const kms = clientOf(running)
    expect((await kms.describeKey({ KeyId: AES })).KeyMetadata?.Description).toBe('an AES key')
    expect((await kms.describeKey({ KeyId: 'alias/new' })).KeyMetadata?.KeyId).toBe(ECC)
    const { Plaintext } = await kms.decrypt({ CiphertextBlob: ciphertext })
    expect(Buffer.from(Plaintext!).toString()).toBe('attack at dawn')
    expect((await running.stop()).stderr).toMatch(/4 keys and 2 aliases, 1 of them new/)
  })

  it('takes JSON, and material of one database makes the same keys in another', async () => {
    const keys = [{ Metadata: { KeyId: HMAC }, BackingKeys: [SECRET] }]
    shell.write('seed.json', JSON.stringify({ Keys: { Symmetric: { Hmac: keys } } }))
    const other = ['serve', '--port', '0', '--data', shell.path('other'), '--seed', shell.path('seed.json')]
    const running = await serve(shell, ...other.slice(1))
    const kms = client(running.url, rootCredentials(shell, 'other'))
    const { Mac } = await kms.generateMac({ KeyId: HMAC, Message: Buffer.from('x'), MacAlgorithm: 'HMAC_SHA_256' })
    expect(Buffer.from(Mac!)).toEqual(createHmac('sha256', Buffer.from(SECRET, 'hex')).update('x').digest())
    await running.stop()
  })

  it('takes the example of the documentation', async () => {
    const [, example = ''] = /```yaml\n([^`]+)```/.exec(readFileSync('docs/seed-file.md', 'utf8'))!
    shell.write('example.yaml', example)
    const running = await serve(shell, '--data', shell.path('example'), '--seed', shell.path('example.yaml'))
    const kms = client(running.url, rootCredentials(shell, 'example'))
    const { KeyMetadata } = await kms.describeKey({ KeyId: 'alias/orders' })
    expect(KeyMetadata).toMatchObject({ KeyId: AES, Description: 'orders', KeyUsage: 'ENCRYPT_DECRYPT' })
    expect((await kms.describeKey({ KeyId: HMAC })).KeyMetadata?.KeySpec).toBe('HMAC_256')
    expect((await running.stop()).stderr).toMatch(/2 keys and 1 aliases, 3 of them new/)
  })

  it('refuses a file that is not in its form, makes nothing, and shows nothing of it', async () => {
    const data = ['serve', '--port', '0', '--data', shell.path('refused'), '--seed', shell.path('seed.yaml')]
    const FILES: readonly (readonly [string, RegExp])[] = [
      ['Keys: [', /line \d+ of .*seed.yaml is not YAML/],
      [YAML.replace(`- ${SECRET}`, `- x${SECRET}`), /Keys.Symmetric.Aes\[0\].BackingKeys\[1\] is not hexadecimal/],
      [
        YAML.replace(`- ${SECRET}`, `- ${SECRET}00`),
        /the material of key bc436485.* is not that of a SYMMETRIC_DEFAULT/,
      ],
      [YAML.replace('Description:', 'Descripton:'), /Metadata has Descripton, which is none of/],
      [
        YAML.replace('-----BEGIN RSA', '-----BEGIN').replace('MII', 'XII'),
        /Rsa\[0\] has a PrivateKeyPem that is no private/,
      ],
      [YAML.replace(indented(RSA_PEM), indented(ECC_PEM)), /Rsa\[0\] has a PrivateKeyPem of a kind/],
      [YAML.replace(`KeyId: ${AES}`, 'KeyId: x'), /the key id "x" is no UUID/],
      [YAML.replace(`KeyId: ${AES}`, `KeyId: ${AES}\n          Origin: EXTERNAL`), /Origin EXTERNAL/],
      [YAML.replace('2999-09-12T15:19:21+00:00', 'soon'), /NextKeyRotation that is no date/],
      [`${YAML}Aliases: []`, /line \d+ of .*seed.yaml is not YAML: DUPLICATE_KEY/],
      [YAML.replace(`TargetKeyId: ${AES}`, ''), /Aliases\[0\] has no TargetKeyId/],
    ]
    for (const [text, reason] of FILES) {
      shell.write('seed.yaml', text)
      const outcome = await shell.waxseal(data)
      failed(outcome, 2, reason)
      for (const secret of [SECRET, DIGITS, RSA_PEM.slice(100, 140)]) expect(outcome.stderr).not.toContain(secret)
    }
    failed(await shell.waxseal([...data.slice(0, -1), 'absent.yaml']), 1, /absent.yaml/)
  })

  it('seeds a server for other machines only when it is told to', async () => {
    shell.write('seed.yaml', YAML)
    const data = ['serve', '--port', '0', '--data', shell.path('data'), '--seed', shell.path('seed.yaml')]
    failed(await shell.waxseal([...data, '--host', '0.0.0.0', '--insecure-http']), 2, /--insecure-seed/)
    const running = await start('--host', '0.0.0.0', '--insecure-http', '--insecure-seed')
    expect((await running.stop()).code).toBe(0)
  })

  it('writes no material anywhere', async () => {
    const forms = [SECRET, Buffer.from(SECRET, 'hex').toString('base64'), RSA_PEM.split('\n')[3]!, DIGITS]
    const pattern = forms.map((form) => `-e '${form}'`).join(' ')
    const found = await shell.bash(`grep -rlaF ${pattern} data home other refused example || true`)
    expect(found.stdout.toString()).toBe('')
  })
})
