/** Opens files that are read at any place. Pipes and devices cannot be. */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { received, typeError } from '../errors.js'

/** A named pipe must not make it wait for a writer. Windows has no such flag. */
const FLAGS = constants.O_RDONLY | ((constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0)

/** What a file was when its footer was read. */
export interface FileState {
  readonly size: number
  /** In milliseconds since 1970. */
  readonly changed: number
}

/** @param isFolder What a folder at the path gets. @throws TypeError `ERR_INVALID_SOURCE`, and errors of the system. */
export async function withFile<T>(path: string, use: (file: FileHandle, state: FileState) => Promise<T>): Promise<T> {
  const file = await open(path, FLAGS)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) {
      const what = stats.isDirectory() ? 'a folder' : 'a pipe or a device'
      throw typeError(
        'ERR_INVALID_SOURCE',
        `Cannot read ${received(path)} as Parquet as it must be a regular file, which is read at any place: received ${what}`,
      )
    }
    return await use(file, { size: stats.size, changed: stats.mtimeMs })
  } finally {
    await file.close()
  }
}

/** All bytes of a range, in separate memory. @throws RangeError if the file ends before. */
export async function readRange(file: FileHandle, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - start)
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at)
    if (bytesRead === 0) throw new RangeError(`the file ends at byte ${start + at}`)
    at += bytesRead
  }
  return bytes
}
