import type { Keyring, MaterialsManager, MessageHeader } from '../src/index.ts'
import { defaultMaterials } from '../src/index.ts'
import { detachedKeys } from '../src/rewrap.ts'
import type { OptionRow } from './command.ts'
import { CommandError } from './failure.ts'
import { readSmallFile } from './small-file.ts'

/** A record is little more than a header. */
const MAX_RECORD_BYTES = 0x1000000

/** What the name of a record adds to that of its message. */
export const RECORD_SUFFIX = '.keys'

const PROVIDER_ID = 'waxseal-detached'

export interface RecordOptions {
  /** The record's file, where it is not beside the message. */
  readonly keys?: string
}

/** The option that names the record of one message. */
export function recordOption(text: string): OptionRow {
  return {
    flags: '--keys <file>',
    text: `${text} (default: the message's name with ${RECORD_SUFFIX})`,
    completes: 'file',
  }
}

/** Whether the keys of a message stand in a record beside it. */
export function isDetached({ encryptedDataKeys }: Pick<MessageHeader, 'encryptedDataKeys'>): boolean {
  return encryptedDataKeys.length === 1 && encryptedDataKeys[0]?.providerId === PROVIDER_ID
}

/**
 * Where the record of a message is.
 *
 * @param message its path; undefined for one that has none
 */
export function recordPath({ keys }: RecordOptions, message: string | undefined): string {
  if (keys !== undefined) return keys
  if (message === undefined) {
    throw new CommandError('usage', 'the keys stand in a record beside the message: name its file with --keys FILE')
  }
  return `${message}${RECORD_SUFFIX}`
}

export async function readRecordFile(path: string): Promise<Uint8Array> {
  return readSmallFile(path, MAX_RECORD_BYTES)
}

/**
 * Reads the record when a message asks for it: one whose keys are its own needs none, unless `--keys` says otherwise.
 *
 * @param message the message's path; undefined for one that has none
 */
export function withRecord(
  source: Keyring | MaterialsManager,
  options: RecordOptions & { readonly maxEncryptedDataKeys?: number },
  message: string | undefined,
): MaterialsManager {
  const manager = 'decryptionMaterials' in source ? source : defaultMaterials(source)
  const { keys, maxEncryptedDataKeys } = options
  return {
    requiredEncryptionContextKeys: manager.requiredEncryptionContextKeys,
    encryptionMaterials: (request) => manager.encryptionMaterials(request),
    async decryptionMaterials(request) {
      if (keys === undefined && !isDetached(request)) return manager.decryptionMaterials(request)
      const record = await readRecordFile(recordPath(options, message))
      return detachedKeys(manager, record, { maxEncryptedDataKeys }).decryptionMaterials(request)
    },
  }
}

/** Refuses one record for several messages. */
export function assertOneRecord({ keys }: RecordOptions, { isBatch }: { readonly isBatch: boolean }): void {
  if (keys === undefined || !isBatch) return
  throw new CommandError('usage', '--keys names the record of one message, and there may be several')
}
