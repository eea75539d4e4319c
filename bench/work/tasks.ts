/** The tasks of millrace's contenders: the functions that all contenders run, with names by which workers find them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { task } from 'millrace'
import { parse as parseLine } from './parse.js'
import { spin as spinFor } from './spin.js'
import { busyFor, type Interval } from './interval.js'
import { pickOf, type Picked } from './picks.js'
import { saleOf, type Sale, type SaleKeys } from './events.js'
import { addRow, type Row, type Sums } from './table.js'
import { add, type Totals } from './totals.js'

export const parse = task(import.meta.url, 'parse', parseLine)

export const tally = task(import.meta.url, function tally(totals: Totals, line: string): Totals {
  return add(totals, parseLine(line))
})

export const spin = task(import.meta.url, 'spin', spinFor)

export const root = task(import.meta.url, function root(x: number): number {
  return Math.sqrt(x)
})

export const noOp = task(import.meta.url, function noOp(x: number): number {
  return x
})

/** Waits for some milliseconds, and returns them. */
/** How many bytes `beginningOf` gives. */
export const BEGINNING = 4_096

export const waits = task(import.meta.url, 'waits', async (wait: number): Promise<number> => {
  await sleep(wait)
  return wait
})

export const echoBytes = task(import.meta.url, function echoBytes(bytes: Uint8Array): Uint8Array {
  return bytes
})

export const beginningOf = task(import.meta.url, function beginningOf(bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, BEGINNING)
})

export const millisecond = task(import.meta.url, function millisecond(): Interval {
  return busyFor(1)
})

export const echo = task(import.meta.url, function echo(line: string): string {
  return line
})

export interface SmallRecord {
  readonly id: number
  readonly name: string
}

export const smallRecord = task(import.meta.url, function smallRecord(id: number): SmallRecord {
  return { id, name: `reading ${id}` }
})

export interface LargeRecord extends SmallRecord {
  readonly text: string
  readonly note: string
  readonly place: number
  readonly time: number
  readonly unit: string
  readonly good: boolean
}

/** About 250 bytes. */
export const largeRecord = task(import.meta.url, function largeRecord(id: number): LargeRecord {
  const text = `the text of record ${id}, which is not short and not the same as that of any other`
  return { id, name: `reading ${id}`, text, note: `${text}.`, place: id % 360, time: id * 1_000, unit: 'K', good: true }
})

export const sumRow = task(import.meta.url, function sumRow(sums: Sums, row: Row): Sums {
  return addRow(sums, row)
})

/** For `flatMap`: none or one. */
export const sale = task(import.meta.url, function sale(event: SaleKeys): Sale[] {
  const found = saleOf(event)
  return found === undefined ? [] : [found]
})

export const pick = task(import.meta.url, function pick(row: Picked): Picked {
  return pickOf(row)
})
