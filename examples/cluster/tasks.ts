/** The tasks that hosts offer: they have this file, as the producer has. */
import { task } from 'millrace/task'

export interface Hit {
  readonly path: string
  readonly status: number
  readonly bytes: number
}

/** Reads a line of a log: `GET /path 200 512`. */
export const parse = task(import.meta.url, 'parse', (line: string): Hit => {
  const [, path = '', status, bytes] = line.split(' ')
  return { path, status: Number(status), bytes: Number(bytes) }
})
