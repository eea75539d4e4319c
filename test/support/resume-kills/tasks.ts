/** The tasks of runs that are killed. They are slow enough for several checkpoints in a run. */
import { setTimeout } from 'node:timers/promises'
import { task } from 'millrace/task'

/** A record of the inputs. In CSV, all its values are text. */
export interface Row {
  readonly id: number | string
  readonly kind: string
  readonly text: string
}

/** How long a task works on one item, in milliseconds. */
const WORK = 0.02

function work(): void {
  for (const end = performance.now() + WORK; performance.now() < end;);
}

/** Fails for some rows. */
export const clean = task(import.meta.url, 'clean', ({ id, kind, text }: Row) => {
  work()
  if (Number(id) % 61 === 7) throw new RangeError(`'${id}' is bad: ${text.slice(0, 10)}`)
  return { kind, id: Number(id), length: text.length, text }
})

/** Fails for other rows than `clean()`. */
export const check = task(import.meta.url, 'check', (row: Row & { readonly length: number }) => {
  if (row.length % 41 === 3) throw new TypeError(`The length of '${row.id}' is bad`)
  return { ...row, isLong: row.length > 50 }
})

export const isWanted = task(import.meta.url, 'is-wanted', ({ id, kind }: Row) => {
  work()
  return Number(id) % 3 !== 0 && kind !== 'c'
})

/** None, one or several results. */
export const pieces = task(import.meta.url, 'pieces', (line: string) => {
  work()
  return Array.from({ length: line.length % 4 }, (_, at) => `${at} ${line}`)
})

export const shorten = task(import.meta.url, 'shorten', (line: string) => {
  work()
  return line.slice(0, 40)
})

/** Waits for some rows, so that others overtake them. */
export const overtaken = task(import.meta.url, 'overtaken', async ({ id, text }: Row) => {
  if (Number(id) % 50 === 0) await setTimeout(2)
  else work()
  if (Number(id) % 61 === 7) throw new RangeError(`'${id}' is bad`)
  return { id: Number(id), text }
})
