/** Cuts a file into parts that end at line ends. */
import { closeSync, openSync, readSync } from 'node:fs'
import type { FileParts } from './jobs.js'

const PART_BYTES = 1 << 19
/** Long enough for any line of the log. */
const MAX_LINE_BYTES = 4_096
const NEWLINE = 10

export function fileParts(path: string, size: number): FileParts {
  const count = Math.max(1, Math.round(size / PART_BYTES))
  const cuts = new Float64Array(count + 1)
  cuts[count] = size
  const file = openSync(path, 'r')
  const around = Buffer.allocUnsafe(MAX_LINE_BYTES)
  try {
    for (let i = 1; i < count; i++) {
      const from = Math.floor((i * size) / count)
      const read = readSync(file, around, 0, MAX_LINE_BYTES, from)
      cuts[i] = from + around.subarray(0, read).indexOf(NEWLINE) + 1
    }
  } finally {
    closeSync(file)
  }
  return { path, cuts }
}
