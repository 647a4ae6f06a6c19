import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Shell, failed, outcomeOf, succeeded, type Outcome } from './shell.ts'

const shell = new Shell()
const text = 'a line of text\n'

beforeAll(() => {
  shell.write('plain', text)
  for (const name of ['alice', 'bob']) writePair(name, 'P-256')
  writePair('carol', 'P-384')
})

afterAll(() => shell.remove())

function writePair(name: string, namedCurve: string): void {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
  shell.write(`${name}.pub`, publicKey.export({ type: 'spki', format: 'pem' }))
  shell.write(`${name}.key`, privateKey.export({ type: 'pkcs8', format: 'der' }))
}

async function sealed(key: string): Promise<Buffer> {
  const outcome = await shell.waxseal(['encrypt', '-w', key], text)
  succeeded(outcome)
  return outcome.stdout
}

async function opened(message: Uint8Array, key: string): Promise<string> {
  return succeeded(await shell.waxseal(['decrypt', '-w', key], message))
}

async function refused(value: string, reason: RegExp, code = 2, command = 'encrypt'): Promise<void> {
  failed(await shell.waxseal([command, '-w', value, '-i', 'plain', '-o', 'out']), code, reason)
  expect(shell.files()).not.toContain('out')
}

/** Runs the command at a terminal, where each text is typed after its prompt; all that the terminal shows is `stdout`. */
async function typing(command: string, texts: readonly (readonly [prompt: string, typed: string])[]): Promise<Outcome> {
  const cli = new URL('../../dist/cli.js', import.meta.url).pathname
  const child = spawn('script', ['-qec', `"${process.execPath}" "${cli}" ${command}`, '/dev/null'], {
    cwd: shell.folder,
    env: shell.env,
  })
  const left = [...texts]
  let shown = ''
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
    const [next] = left
    if (next === undefined || !shown.includes(next[0])) return
    left.shift()
    shown = ''
    child.stdin.write(next[1])
  })
  return outcomeOf(child)
}

describe('provider=passphrase', () => {
  it('takes the passphrase from a file or a descriptor, without the end of the line', async () => {
    shell.write('p1', 'gr\u00fcn wie Gras')
    shell.write('p2', 'gru\u0308n wie Gras\n')
    const message = await sealed('provider=passphrase,file=p1')
    expect(await opened(message, 'provider=passphrase,file=p2')).toBe(text)
    shell.write('m.wax', message)
    expect(succeeded(await shell.bash('waxseal decrypt -w provider=passphrase,fd=3 -i m.wax 3< p2'))).toBe(text)
    expect(succeeded(await shell.bash('waxseal decrypt -w provider=passphrase,fd=3 -i m.wax 3< <(cat p1)'))).toBe(text)
  })

  it('refuses a wrong passphrase', async () => {
    shell.write('p1', 'right')
    shell.write('wrong', 'wrong')
    const message = await sealed('provider=passphrase,file=p1')
    failed(await shell.waxseal(['decrypt', '-w', 'provider=passphrase,file=wrong'], message), 3, /./)
  })

  it('refuses what is no passphrase, and every way to give it in arguments', async () => {
    shell.write('empty', '\n')
    shell.write('long', 'x'.repeat(5000))
    shell.write('latin1', Uint8Array.of(0xe9))
    await refused('provider=passphrase,passphrase=secret', /is none of provider, file, fd/)
    await refused('provider=passphrase,file=empty,fd=3', /not both/)
    await refused('provider=passphrase,file=empty', /1 to 4096 bytes/)
    await refused('provider=passphrase,file=long', /1 to 4096 bytes/)
    await refused('provider=passphrase,file=latin1', /no UTF-8/)
    await refused('provider=passphrase,fd=x', /fd must be/)
    await refused('provider=passphrase,file=none', /cannot read none/, 1)
    await refused('provider=passphrase,file=/dev/zero', /more than 65536 bytes/, 1)
    await refused('provider=passphrase', /a terminal to ask at/)
    await refused('provider=passphrase', /a terminal to ask at/, 2, 'decrypt')
  })

  it('asks at a terminal, twice for one that encrypts, and shows nothing of it', async () => {
    const encrypting = await typing('encrypt -w provider=passphrase -i plain -o t.wax', [
      ['encrypt under: ', 'gr\u00fcnx\u007f wie Gras\r'],
      ['again: ', 'gr\u00fcn wie Gras\r'],
    ])
    expect({ code: encrypting.code, shown: encrypting.stdout.toString() }).toEqual({
      code: 0,
      shown: 'Passphrase to encrypt under: \r\nThe same again: \r\n',
    })
    const decrypting = await typing('decrypt -w provider=passphrase -i t.wax', [
      ['decrypt by: ', 'gr\u00fcn wie Gras\r'],
    ])
    expect({ code: decrypting.code, shown: decrypting.stdout.toString() }).toEqual({
      code: 0,
      shown: 'Passphrase to decrypt by: \r\na line of text\r\n',
    })
  })

  it.each([
    ['differ', ['one\r', 'two\r'], 2, 'the two passphrases differ'],
    ['are interrupted', ['one\u0003'], 130, 'interrupted'],
    ['end', ['one\u0004'], 2, 'no passphrase was given'],
    ['are empty', ['\r', '\r'], 2, '1 to 4096 bytes'],
  ])('leaves nothing when the answers %s', async (_, answers, code, reason) => {
    const prompts = ['encrypt under: ', 'again: ']
    const texts = answers.map((answer, index) => [prompts[index]!, answer] as const)
    const outcome = await typing('encrypt -w provider=passphrase -i plain -o out', texts)
    expect(outcome.code).toBe(code)
    expect(outcome.stdout.toString()).toContain(reason)
    expect(shell.files()).not.toContain('out')
  })

  it('puts a message under another passphrase', async () => {
    shell.write('old', 'old')
    shell.write('new', 'new')
    shell.write('r.wax', await sealed('provider=passphrase,file=old'))
    const from = ['--from-wrapping-key', 'provider=passphrase,file=old']
    succeeded(await shell.waxseal(['rewrap', 'r.wax', '-w', 'provider=passphrase,file=new', ...from]))
    expect(await opened(shell.read('r.wax'), 'provider=passphrase,file=new')).toBe(text)
  })
})

describe('provider=raw-ecdh', () => {
  const P256 = 'provider=raw-ecdh,curve=P-256'

  it('encrypts to a public key, and decrypts by its private key', async () => {
    const message = await sealed(`${P256},public-key=bob.pub`)
    expect(await opened(message, `${P256},private-key=bob.key`)).toBe(text)
    failed(await shell.waxseal(['decrypt', '-w', `${P256},private-key=alice.key`], message), 5, /./)
  })

  it('works between two who know each other, in both directions', async () => {
    const message = await sealed(`${P256},private-key=alice.key,public-key=bob.pub`)
    expect(await opened(message, `${P256},private-key=bob.key,public-key=alice.pub`)).toBe(text)
    expect(await opened(message, `${P256},private-key=alice.key,public-key=bob.pub`)).toBe(text)
  })

  it('takes the other curves', async () => {
    const message = await sealed('provider=raw-ecdh,curve=P-384,public-key=carol.pub')
    expect(await opened(message, 'provider=raw-ecdh,curve=P-384,private-key=carol.key')).toBe(text)
  })

  it('refuses what is no key for the work', async () => {
    await refused('provider=raw-ecdh,public-key=bob.pub', /needs curve=/)
    await refused('provider=raw-ecdh,curve=P-1,public-key=bob.pub', /curve must be one of P-256, P-384, P-521/)
    await refused(`${P256},private-key=bob.key`, /needs public-key=… to encrypt/)
    await refused(`${P256},public-key=bob.pub`, /needs private-key=… to decrypt/, 2, 'decrypt')
    await refused(P256, /needs public-key=/)
    await refused(`${P256},public-key=carol.pub`, /P-256/)
    await refused(`${P256},public-key=bob.key`, /./)
    await refused(`${P256},public-key=plain`, /./)
    await refused(`${P256},public-key=none`, /cannot read none/, 1)
    await refused(`${P256},public-key=/dev/zero`, /more than 1048576 bytes/, 1)
    await refused(`${P256},public-key=bob.pub,colour=red`, /"colour" is none of/)
  })
})
