import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileError } from './file-error.ts'
import type { CommandError } from './failure.ts'

export interface FoundFile {
  readonly path: string
  readonly size: number
}

export interface Found {
  readonly files: readonly FoundFile[]
  /** Paths of what is neither a file nor a folder: links, which could lead anywhere, pipes, sockets, devices. */
  readonly others: readonly string[]
  /** What could not be read. */
  readonly failures: readonly CommandError[]
}

/** Finds every file below a folder, in the order of the names, without a folder `except` that lies in it. */
export async function filesBelow(folder: string, except: string | undefined): Promise<Found> {
  const found = { files: [] as FoundFile[], others: [] as string[], failures: [] as CommandError[] }
  const excluded = except === undefined ? undefined : resolve(except)
  const visit = async (path: string): Promise<void> => {
    if (resolve(path) === excluded) return
    const entries = await readdir(path, { withFileTypes: true })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const inside = join(path, entry.name)
      try {
        if (entry.isDirectory()) await visit(inside)
        else if (entry.isFile()) found.files.push({ path: inside, size: (await stat(inside)).size })
        else found.others.push(inside)
      } catch (error) {
        found.failures.push(fileError('read', inside, error))
      }
    }
  }
  try {
    await visit(folder)
  } catch (error) {
    found.failures.push(fileError('read', folder, error))
  }
  return found
}
