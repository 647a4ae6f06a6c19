import { dirname, resolve } from 'node:path'
import type { HsmCluster } from '../kms/engine/index.ts'
import { pkcs11Cluster } from '../kms/key-stores/pkcs11.node.ts'
import { CommandError } from './failure.ts'
import { readSmallFile } from './small-file.ts'

const MAX_BYTES = 0x10000
const MEMBERS = ['library', 'token', 'pinFile', 'trustAnchorFile']

/**
 * Reads which hardware security modules there are: an object by cluster id of `{ library, token, pinFile?,
 * trustAnchorFile? }`, paths from the folder of the file.
 *
 * @throws CommandError for a file that does not say it
 */
export async function readHsmClusters(path: string): Promise<Readonly<Record<string, HsmCluster>>> {
  const text = (await readSmallFile(path, MAX_BYTES)).toString()
  const entries = Object.entries(parseObject(path, text))
  const clusters = entries.map(async ([id, value]) => [id, await readCluster(path, id, value)] as const)
  return Object.fromEntries(await Promise.all(clusters))
}

async function readCluster(path: string, id: string, value: unknown): Promise<HsmCluster> {
  const given = Object(value) as Readonly<Record<string, unknown>>
  const wrong = Object.entries(given).find(([name, member]) => !MEMBERS.includes(name) || typeof member !== 'string')
  if (!/^cluster-[2-7a-zA-Z]{11,16}$/.test(id))
    throw invalid(path, `${id} is not cluster- and 11 to 16 of a-z, A-Z, 2-7`)
  if (wrong) throw invalid(path, `${id} has a ${wrong[0]} that cannot be`)
  const { library, token, pinFile, trustAnchorFile } = given as Readonly<Record<string, string | undefined>>
  if (!library || !token) throw invalid(path, `${id} needs library and token`)
  const near = (file: string): string => resolve(dirname(path), file)
  const pin = pinFile === undefined ? undefined : await readLine(near(pinFile))
  const trustAnchor =
    trustAnchorFile === undefined ? undefined : (await readSmallFile(near(trustAnchorFile), MAX_BYTES)).toString()
  return pkcs11Cluster({ library, token, pin, trustAnchor })
}

/** A PIN, without the end of its line. */
async function readLine(path: string): Promise<string> {
  const bytes = await readSmallFile(path, MAX_BYTES)
  const text = bytes.toString().replace(/\r?\n$/, '')
  bytes.fill(0)
  if (text === '' || /[\r\n]/.test(text)) throw new CommandError('usage', `${path} must hold a PIN, on one line`)
  return text
}

function parseObject(path: string, text: string): object {
  try {
    const json: unknown = JSON.parse(text)
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json
  } catch {
    // Said below.
  }
  throw invalid(path, 'it must be a JSON object of modules')
}

function invalid(path: string, what: string): CommandError {
  return new CommandError('usage', `${path}: ${what}`)
}
