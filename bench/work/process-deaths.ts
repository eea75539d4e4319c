/** Ways in which a process ends itself, after it has written when. */
import { writeFileSync } from 'node:fs'
import { task } from 'millrace/task'

export type Way = 'SIGKILL' | 'SIGSEGV' | 'abort' | 'exit'

export interface Death {
  readonly way: Way
  /** The file for the time. */
  readonly path: string
}

/** In milliseconds, comparable between processes of a machine. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

export function dieBy({ way, path }: Death): void {
  writeFileSync(path, `${now()}`)
  if (way === 'abort') process.abort()
  if (way === 'exit') process.exit(3)
  process.kill(process.pid, way)
}

export const die = task(import.meta.url, 'die', dieBy)
