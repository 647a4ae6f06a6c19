import { open } from 'node:fs/promises'
import { CommandError } from './failure.ts'

/** Reads the whole of a file, or of standard input when `path` is `-` or not given. */
export async function readInput(path: string | undefined): Promise<Uint8Array> {
  return path === undefined || path === '-' ? readStandardInput() : readFile(path)
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r')
    try {
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    throw fileError('read', path, error)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is not a directory',
  EFBIG: 'the file would be larger than allowed',
  EROFS: 'the file system is read-only',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than the 2 GiB that this version holds in memory',
}

/** An error of the operating system about a file the user named, in the user's words. */
export function fileError(action: 'read' | 'write', path: string, error: unknown): CommandError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error))
  return new CommandError('other', `cannot ${action} ${path}: ${reason}`, { cause: error })
}
