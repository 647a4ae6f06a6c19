import { CommandError } from './failure.ts'

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is not a directory',
  EFBIG: 'the file would be larger than allowed',
  EROFS: 'the file system is read-only',
}

/** Whether it is an error of the operating system with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** An error of the operating system about a file the user named, in the user's words. */
export function fileError(action: 'read' | 'write', path: string, error: unknown): CommandError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error))
  return new CommandError('other', `cannot ${action} ${path}: ${reason}`, { cause: error })
}
