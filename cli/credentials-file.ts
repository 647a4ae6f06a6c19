import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { randomBytes, randomInt } from 'node:crypto'
import { CommandError } from './failure.ts'

/** The access key of an account's root. */
export interface RootCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const GROUP_AND_OTHERS = 0o077
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** From WAXSEAL_ROOT_ACCESS_KEY_ID and WAXSEAL_ROOT_SECRET_ACCESS_KEY; undefined if neither is set. */
export function environmentCredentials(): RootCredentials | undefined {
  const { WAXSEAL_ROOT_ACCESS_KEY_ID: accessKeyId = '', WAXSEAL_ROOT_SECRET_ACCESS_KEY: secretAccessKey = '' } =
    process.env
  if (accessKeyId === '' && secretAccessKey === '') return undefined
  if (accessKeyId === '' || secretAccessKey === '') {
    throw new CommandError(
      'usage',
      'set both WAXSEAL_ROOT_ACCESS_KEY_ID and WAXSEAL_ROOT_SECRET_ACCESS_KEY, or neither',
    )
  }
  return { accessKeyId, secretAccessKey }
}

/** Reads the credentials file, or makes it with a new pair, mode 0600. Whoever removes the file asks for a new pair. */
export function fileCredentials(file: string): RootCredentials {
  const made = makeFile(file)
  if (made) return made
  const descriptor = openSync(file, 'r')
  try {
    if (process.platform !== 'win32' && (fstatSync(descriptor).mode & GROUP_AND_OTHERS) !== 0) {
      throw new CommandError('key', `${file} is open to other users: take their rights to it away (chmod 600)`)
    }
    return parse(readFileSync(descriptor, 'utf8'), file)
  } finally {
    closeSync(descriptor)
  }
}

/** Undefined if there is such a file. */
function makeFile(file: string): RootCredentials | undefined {
  const accessKeyId = `AKIA${Array.from({ length: 16 }, () => BASE32[randomInt(BASE32.length)]).join('')}`
  const secretAccessKey = randomBytes(30).toString('base64')
  let descriptor: number
  try {
    descriptor = openSync(file, 'wx', 0o600)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined
    throw error
  }
  try {
    const lines = ['[default]', `aws_access_key_id = ${accessKeyId}`, `aws_secret_access_key = ${secretAccessKey}`, '']
    writeSync(descriptor, lines.join('\n'))
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  return { accessKeyId, secretAccessKey }
}

function parse(text: string, file: string): RootCredentials {
  const [, accessKeyId] = /^\s*aws_access_key_id\s*=\s*(\w+)\s*$/m.exec(text) ?? []
  const [, secretAccessKey] = /^\s*aws_secret_access_key\s*=\s*(\S+)\s*$/m.exec(text) ?? []
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new CommandError('key', `${file} holds no access key: restore it, or remove it for a new pair`)
  }
  return { accessKeyId, secretAccessKey }
}
