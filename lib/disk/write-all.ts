/** Writes bytes to an open file: all of them, although the system may take only a part at a time. */
import type { FileHandle } from 'node:fs/promises'

export async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  for (let left = chunks; left.length > 0;) {
    const { bytesWritten } = await file.writev(left)
    left = without(left, bytesWritten)
  }
}

/** What is left of the chunks after their first bytes. */
function without(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes
  for (const [at, chunk] of chunks.entries()) {
    if (left < chunk.length) return [chunk.subarray(left), ...chunks.slice(at + 1)]
    left -= chunk.length
  }
  return []
}
