import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Shell, failed, succeeded } from './shell.ts'

const shell = new Shell()
const RAW = 'provider=raw-aes,namespace=test,name=k1'
const raw = ['-w', `${RAW},file=k1.key`]
const text = 'a line of text\n'

beforeAll(() => {
  shell.write('k1.key', Buffer.alloc(32, 1))
  shell.write('k2.key', Buffer.alloc(16, 2))
  shell.write('k1.hex', `${'01'.repeat(32)}\n`)
  shell.write('k1.b64', Buffer.alloc(32, 1).toString('base64'))
  shell.write('a,b.key', Buffer.alloc(32, 1))
  shell.write('plain', text)
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  shell.write('private.pem', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  shell.write('public.der', rsa.publicKey.export({ type: 'spki', format: 'der' }))
})

afterAll(() => shell.remove())

async function sealed(...options: string[]): Promise<Buffer> {
  const outcome = await shell.waxseal(['encrypt', ...options], text)
  succeeded(outcome)
  return outcome.stdout
}

async function opened(message: Uint8Array, ...options: string[]): Promise<string> {
  return succeeded(await shell.waxseal(['decrypt', ...options], message))
}

interface HeaderJson {
  readonly encryptionContext: Readonly<Record<string, string>>
  readonly encryptedDataKeys: readonly { readonly providerId: string }[]
}

async function headerOf(message: Uint8Array): Promise<HeaderJson> {
  return JSON.parse(succeeded(await shell.waxseal(['inspect', '--json'], message))) as HeaderJson
}

describe('--encode and --decode', () => {
  it('write and read what base64(1) reads and writes', async () => {
    const encoded = await sealed(...raw, '--encode')
    const message = execFileSync('base64', ['-d'], { input: encoded })
    expect(await opened(message, ...raw)).toBe(text)
    const again = execFileSync('base64', ['-w', '20'], { input: message })
    expect(await opened(again, ...raw, '--decode')).toBe(text)
    expect(await opened(encoded, ...raw, '--decode', '--encode')).toBe(`${Buffer.from(text).toString('base64')}\n`)
    expect(succeeded(await shell.waxseal(['inspect', '--decode'], encoded))).toContain('test')
  })

  it('refuse what is no base64', async () => {
    failed(await shell.waxseal(['decrypt', ...raw, '--decode'], await sealed(...raw)), 4, /not base64/)
    const encoded = (await sealed(...raw, '--encode')).toString()
    failed(await shell.waxseal(['decrypt', ...raw, '--decode', '-o', 'out'], encoded.slice(0, 103)), 4, /base64/)
    expect(shell.files()).not.toContain('out')
  })
})

describe('--wrapping-key', () => {
  it.each(['file=k1.key', 'file=k1.hex,encoding=hex', 'file=k1.b64,encoding=base64', 'file=a,,b.key'])(
    'takes an AES key from %s',
    async (source) => {
      expect(await opened(await sealed('-w', `${RAW},${source}`), ...raw)).toBe(text)
    },
  )

  it('takes an AES key from a descriptor', async () => {
    const script = `waxseal encrypt -w ${RAW},fd=3 -i plain 3< k1.key | waxseal decrypt -w ${RAW},fd=4 4< k1.key`
    expect(succeeded(await shell.bash(script))).toBe(text)
  })

  it('takes RSA keys, each for its direction', async () => {
    const rsa = 'provider=raw-rsa,namespace=test,name=rsa,padding=oaep-sha256'
    const message = await sealed('-w', `${rsa},public-key=public.der`)
    expect(await opened(message, '-w', `${rsa},private-key=private.pem`)).toBe(text)
  })

  it('is repeated for several keys, each of which decrypts', async () => {
    const second = ['-w', 'provider=raw-aes,namespace=test,name=k2,file=k2.key']
    const message = await sealed(...raw, ...second)
    expect((await headerOf(message)).encryptedDataKeys).toHaveLength(2)
    expect(await opened(message, ...raw)).toBe(text)
    expect(await opened(message, ...second)).toBe(text)
  })

  it('goes with keys of the KMS, by --key or provider=kms', async () => {
    const key = succeeded(await shell.waxseal(['kms', 'create-key'])).trim()
    const message = await sealed('-k', key, '-w', `provider=kms,key=${key}`, ...raw)
    expect((await headerOf(message)).encryptedDataKeys.map(({ providerId }) => providerId)).toEqual([
      'aws-kms',
      'aws-kms',
      'test',
    ])
    expect(await opened(message)).toBe(text)
    expect(await opened(message, '-k', key)).toBe(text)
    expect(await opened(message, ...raw)).toBe(text)
    const other = succeeded(await shell.waxseal(['kms', 'create-key'])).trim()
    failed(await shell.waxseal(['decrypt', '-k', other], message), 5, /./)
  })

  it.each<[string, RegExp]>([
    ['raw-aes', /is not name=value/],
    ['provider=rot13', /provider=kms\|raw-aes\|raw-rsa/],
    ['provider=raw-aes,namespace=test', /needs name=/],
    [`${RAW},file=k1.key,file=k1.key`, /file is given twice/],
    [`${RAW},colour=red`, /"colour" is none of/],
    [`${RAW},file=k1.key,fd=3`, /not both/],
    [`${RAW},file=k1.key,encoding=rot13`, /encoding must be one of/],
    [RAW, /needs file=… or fd=…/],
    [`${RAW},fd=x`, /fd must be/],
    [`${RAW},file=plain`, /has 15 bytes/],
    [`${RAW},file=plain,encoding=hex`, /is no hex/],
    ['provider=raw-rsa,namespace=a,name=b,padding=none', /padding must be one of/],
    ['provider=raw-rsa,namespace=a,name=b,padding=oaep-sha256', /./],
    ['provider=raw-aes,namespace=aws-kms,name=b,file=k1.key', /aws-kms/],
  ])('%s is refused', async (value, reason) => {
    failed(await shell.waxseal(['encrypt', '-w', value, '-i', 'plain', '-o', 'out']), 2, reason)
    expect(shell.files()).not.toContain('out')
  })

  it('tells of a key file that is not there, and shows no key', async () => {
    failed(
      await shell.waxseal(['encrypt', '-w', `${RAW},file=none`, '-i', 'plain', '-o', 'out']),
      1,
      /cannot read none/,
    )
  })
})

describe('--required-encryption-context-keys', () => {
  const context = ['-c', 'tenant=a', '-c', 'secret=b']
  const required = ['--required-encryption-context-keys', 'secret']

  it('keeps a pair out of the message that decryption needs', async () => {
    const message = await sealed(...raw, ...context, ...required)
    expect((await headerOf(message)).encryptionContext).toEqual({ tenant: 'a' })
    expect(await opened(message, ...raw, ...context, ...required)).toBe(text)
    failed(await shell.waxseal(['decrypt', ...raw], message), 3, /./)
    failed(await shell.waxseal(['decrypt', ...raw, '-c', 'secret=c', ...required], message), 3, /./)
    failed(await shell.waxseal(['decrypt', ...raw, ...context], message), 3, /./)
  })

  it('names a pair that is given', async () => {
    failed(await shell.waxseal(['encrypt', ...raw, ...required], text), 2, /secret/)
    failed(await shell.waxseal(['decrypt', ...raw, ...required], await sealed(...raw)), 2, /secret/)
  })
})

describe('--max-encrypted-data-keys', () => {
  it('limits what is written and what is read', async () => {
    const second = ['-w', 'provider=raw-aes,namespace=test,name=k2,file=k2.key']
    failed(
      await shell.waxseal(['encrypt', ...raw, ...second, '--max-encrypted-data-keys', '1'], text),
      4,
      /2 encrypted data keys/,
    )
    const message = await sealed(...raw, ...second, '--max-encrypted-data-keys', '2')
    expect(await opened(message, ...raw, '--max-encrypted-data-keys', '2')).toBe(text)
    failed(await shell.waxseal(['decrypt', ...raw, '--max-encrypted-data-keys', '1'], message), 4, /./)
  })

  it.each(['0', '65536', '1.5', 'x'])('refuses %s', async (value) => {
    failed(await shell.waxseal(['encrypt', ...raw, '--max-encrypted-data-keys', value], text), 2, /from 1 to 65535/)
  })
})
