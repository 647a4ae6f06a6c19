import {
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  mkdirSync,
  chmodSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { KmsError } from '../../kms/engine/index.ts'
import { defaultRootKeyFile, localKms, type LocalKmsOptions } from '../../kms/providers/local.ts'
import { loadDriver } from '../../kms/store/sqlite-driver.ts'
import { temporaryFolder } from './temporary.ts'

const folder = temporaryFolder()
let count = 0

/** A place for a KMS that is not there yet. */
function place(): { readonly directory: string; readonly rootKeyFile: string } {
  const name = String(++count)
  return { directory: join(folder, name, 'data'), rootKeyFile: join(folder, name, 'config', 'root.key') }
}

async function makeKms(options: LocalKmsOptions): Promise<string> {
  const kms = await localKms(options)
  const { KeyMetadata } = await kms.engine.call('CreateKey', {})
  await kms.close()
  return KeyMetadata.Arn
}

/** Names and contents of all files below a folder. */
function contents(below: string): Map<string, string> {
  const files = readdirSync(below, { recursive: true, encoding: 'utf8' }).sort()
  return new Map(
    files.flatMap((name) => {
      const file = join(below, name)
      return statSync(file).isFile() ? [[name, readFileSync(file, 'base64')] as const] : []
    }),
  )
}

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

async function refusal(options: LocalKmsOptions): Promise<KmsError> {
  const error: unknown = await localKms(options).then(
    (kms) => kms.close(),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(KmsError)
  return error as KmsError
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('localKms', () => {
  it('makes a KMS, and finds its keys again', async () => {
    const options = place()
    const arn = await makeKms(options)
    const kms = await localKms({ ...options, create: false })
    expect((await kms.engine.call('ListKeys', {})).Keys.map(({ KeyArn }) => KeyArn)).toEqual([arn])
    expect(await kms.provider.resolveKeyId?.({ keyId: arn })).toBe(arn)
    await kms.close()
    expect(readdirSync(options.directory)).toContain('kms.sqlite')
    expect(mode(options.directory)).toBe('700')
    expect(mode(join(options.directory, 'kms.sqlite'))).toBe('600')
  })

  it('passes account, Region and clock on', async () => {
    const clock = (): number => 1_600_000_000_000
    const kms = await localKms({ ...place(), account: '123456789012', region: 'eu-central-1', clock })
    const { KeyMetadata } = await kms.engine.call('CreateKey', {})
    expect(KeyMetadata.Arn).toBe(`arn:aws:kms:eu-central-1:123456789012:key/${KeyMetadata.KeyId}`)
    expect(KeyMetadata.CreationDate).toEqual(new Date(1_600_000_000_000))
    await kms.close()
  })

  it('offers its keys as a provider', async () => {
    const { engine, provider, close } = await localKms(place())
    const { KeyMetadata } = await engine.call('CreateKey', {})
    await engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyMetadata.KeyId })
    const call = { keyId: 'alias/a', encryptionContext: { tenant: 'a' } }
    const made = await provider.generateDataKey({ ...call, numberOfBytes: 24 })
    expect(made.keyId).toBe(KeyMetadata.Arn)
    expect(made.plaintext).toHaveLength(24)
    expect(await provider.decrypt({ ...call, ciphertext: made.ciphertext })).toEqual({
      keyId: KeyMetadata.Arn,
      plaintext: made.plaintext,
    })
    const wrapped = await provider.encrypt({ ...call, plaintext: Uint8Array.of(1, 2, 3) })
    expect(wrapped.keyId).toBe(KeyMetadata.Arn)
    const opened = await provider.decrypt({ ...call, ciphertext: wrapped.ciphertext })
    expect(opened.plaintext).toEqual(Uint8Array.of(1, 2, 3))
    const other = provider.decrypt({ ...call, ciphertext: wrapped.ciphertext, encryptionContext: {} })
    await expect(other).rejects.toMatchObject({ name: 'InvalidCiphertextException', message: '' })
    const withToken = provider.encrypt({ ...call, plaintext: Uint8Array.of(1), grantTokens: ['t'] })
    await expect(withToken).rejects.toMatchObject({ name: 'InvalidGrantTokenException' })
    const reason = new Error('enough')
    const aborted = provider.generateDataKey({ ...call, numberOfBytes: 1, signal: AbortSignal.abort(reason) })
    await expect(aborted).rejects.toBe(reason)
    await close()
  })

  it('makes nothing where nothing is, if it is not to create', async () => {
    const options = place()
    const error = await refusal({ ...options, create: false })
    expect(error.name).toBe('NotFoundException')
    expect(error.code).toBe('ERR_WAXSEAL_KMS')
    expect(error.message).toContain(options.directory)
    expect(existsSync(dirname(options.directory))).toBe(false)
  })

  it('does not take a database that was just begun for a KMS, if it is not to create', async () => {
    const options = place()
    await makeKms(options)
    const Database = await loadDriver()
    const database = new Database(join(options.directory, 'kms.sqlite'))
    database.exec('DELETE FROM row')
    database.close()
    rmSync(options.rootKeyFile)
    expect((await refusal({ ...options, create: false })).name).toBe('NotFoundException')
    expect(existsSync(options.rootKeyFile)).toBe(false)
  })

  it('says so when its database was deleted', async () => {
    const options = place()
    await makeKms(options)
    rmSync(options.directory, { recursive: true })
    expect((await refusal({ ...options, create: false })).name).toBe('NotFoundException')
    expect(existsSync(options.directory)).toBe(false)
  })

  it('uses the root key that is there for a new database', async () => {
    const options = place()
    await makeKms(options)
    const rootKey = readFileSync(options.rootKeyFile)
    rmSync(options.directory, { recursive: true })
    await makeKms(options)
    expect(readFileSync(options.rootKeyFile)).toEqual(rootKey)
  })

  it('refuses an account or Region that is none before it makes anything', async () => {
    const options = place()
    await expect(localKms({ ...options, account: '1' })).rejects.toThrow(RangeError)
    await expect(localKms({ ...options, region: 'nowhere' })).rejects.toThrow(RangeError)
    expect(existsSync(dirname(options.directory))).toBe(false)
  })

  it('refuses calls after it was closed', async () => {
    const { engine, close } = await localKms(place())
    await close()
    await expect(engine.call('ListKeys', {})).rejects.toMatchObject({ name: 'KMSInternalException' })
  })
})

describe('the root key', () => {
  it('is made once, for its owner alone, as one line of text', async () => {
    const options = place()
    await makeKms(options)
    expect(mode(options.rootKeyFile)).toBe('600')
    expect(mode(dirname(options.rootKeyFile))).toBe('700')
    const text = readFileSync(options.rootKeyFile, 'utf8')
    expect(text).toMatch(/^waxseal-root-key-v1 [0-9a-f]{64}\n$/)
    await makeKms(options)
    expect(readFileSync(options.rootKeyFile, 'utf8')).toBe(text)
    expect(readdirSync(dirname(options.rootKeyFile))).toEqual(['root.key'])
  })

  it('differs from KMS to KMS', async () => {
    const [one, other] = [place(), place()]
    await makeKms(one)
    await makeKms(other)
    expect(readFileSync(one.rootKeyFile, 'utf8')).not.toBe(readFileSync(other.rootKeyFile, 'utf8'))
  })

  it('is never made for a database that is in use, and its absence changes nothing', async () => {
    const options = place()
    await makeKms(options)
    const kept = join(folder, 'kept.key')
    renameSync(options.rootKeyFile, kept)
    const before = contents(options.directory)
    for (const create of [true, false]) {
      const error = await refusal({ ...options, create })
      expect(error.name).toBe('RootKeyException')
      expect(error.message).toBe(`the root key of this KMS is missing: put it back at ${options.rootKeyFile}`)
    }
    expect(contents(options.directory).get('kms.sqlite')).toBe(before.get('kms.sqlite'))
    expect(existsSync(options.rootKeyFile)).toBe(false)
    renameSync(kept, options.rootKeyFile)
    await (await localKms(options)).close()
  })

  it('is refused when it is of another KMS, which changes nothing', async () => {
    const [options, other] = [place(), place()]
    await makeKms(options)
    await makeKms(other)
    const before = contents(dirname(options.directory))
    const error = await refusal({ ...options, rootKeyFile: other.rootKeyFile })
    expect(error.name).toBe('RootKeyException')
    expect(error.message).toMatch(/not the root key of the KMS/)
    const after = contents(dirname(options.directory))
    expect(after.get('data/kms.sqlite')).toBe(before.get('data/kms.sqlite'))
    expect(after.get('config/root.key')).toBe(before.get('config/root.key'))
    await (await localKms(options)).close()
  })

  it.each(['640', '620', '610', '604', '602', '601', '644', '666'])('is refused with mode %s', async (mode) => {
    const options = place()
    mkdirSync(dirname(options.rootKeyFile), { recursive: true })
    writeFileSync(options.rootKeyFile, `waxseal-root-key-v1 ${'5a'.repeat(32)}\n`)
    chmodSync(options.rootKeyFile, Number.parseInt(mode, 8))
    const error = await refusal(options)
    expect(error.name).toBe('RootKeyException')
    expect(error.message).toMatch(/is open to other users/)
    chmodSync(options.rootKeyFile, 0o400)
    await (await localKms(options)).close()
  })

  it.each([
    ['nothing', '', /is empty/],
    ['another text', 'hello\n', /is no root key/],
    ['too short', `waxseal-root-key-v1 ${'5a'.repeat(31)}\n`, /is no root key/],
    ['too long', `waxseal-root-key-v1 ${'5a'.repeat(33)}\n`, /is no root key/],
    ['much too long', `waxseal-root-key-v1 ${'5a'.repeat(32)}\n${' '.repeat(1000)}x`, /is no root key/],
    ['of another version', `waxseal-root-key-v2 ${'5a'.repeat(32)}\n`, /is no root key/],
    ['not hexadecimal', `waxseal-root-key-v1 ${'5g'.repeat(32)}\n`, /is no root key/],
  ])('is refused when it is %s, and not written over', async (_, text, message) => {
    const options = place()
    mkdirSync(dirname(options.rootKeyFile), { recursive: true })
    writeFileSync(options.rootKeyFile, text, { mode: 0o600 })
    const error = await refusal(options)
    expect(error.name).toBe('RootKeyException')
    expect(error.message).toMatch(message)
    expect(readFileSync(options.rootKeyFile, 'utf8')).toBe(text)
  })

  it('is refused when it is a folder, or cannot be made', async () => {
    const options = place()
    mkdirSync(options.rootKeyFile, { recursive: true })
    expect((await refusal(options)).message).toBe(`the root key ${options.rootKeyFile} is not a regular file`)
    const below = await refusal({ ...options, rootKeyFile: '/dev/null/root.key' })
    expect(below).toMatchObject({ name: 'RootKeyException' })
    expect(below.message).toMatch(/cannot be made/)
  })

  it('must not be in the directory of the database', async () => {
    const { directory } = place()
    for (const name of ['root.key', 'below/root.key', '..root.key', '']) {
      const rootKeyFile = join(directory, name)
      await expect(localKms({ directory, rootKeyFile })).rejects.toThrow(RangeError)
    }
    expect(existsSync(directory)).toBe(false)
    mkdirSync(directory, { recursive: true })
    const link = join(dirname(directory), 'link')
    symlinkSync(directory, link)
    await expect(localKms({ directory, rootKeyFile: join(link, 'root.key') })).rejects.toThrow(RangeError)
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('defaultRootKeyFile', () => {
  it('is in the configuration directory of the user, one for each directory', async () => {
    const config = join(folder, 'xdg')
    vi.stubEnv('XDG_CONFIG_HOME', config)
    const [one, other] = [place(), place()]
    const arn = await makeKms({ directory: one.directory })
    await makeKms({ directory: other.directory })
    expect(readdirSync(join(config, 'waxseal', 'root-keys'))).toHaveLength(2)
    const kms = await localKms({ directory: one.directory, rootKeyFile: defaultRootKeyFile(one.directory) })
    expect((await kms.engine.call('ListKeys', {})).Keys.map(({ KeyArn }) => KeyArn)).toEqual([arn])
    await kms.close()
  })

  it('is below ~/.config when XDG_CONFIG_HOME is empty, or no absolute path', () => {
    vi.stubEnv('HOME', '/home/someone')
    for (const value of ['', 'relative']) {
      vi.stubEnv('XDG_CONFIG_HOME', value)
      expect(dirname(defaultRootKeyFile('/data'))).toBe('/home/someone/.config/waxseal/root-keys')
    }
  })

  it('is the same by whatever path the directory is reached', async () => {
    vi.stubEnv('XDG_CONFIG_HOME', join(folder, 'links'))
    const { directory } = place()
    await makeKms({ directory })
    const link = join(folder, 'link-to-data')
    symlinkSync(dirname(directory), link)
    await makeKms({ directory: join(link, 'data'), create: false })
    await makeKms({ directory: `${directory}/../data/.`, create: false })
    expect(readdirSync(join(folder, 'links', 'waxseal', 'root-keys'))).toHaveLength(1)
  })
})
