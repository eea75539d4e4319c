/** The tasks of the three programs. They are in a separate module, because every worker imports it. */
import { basename } from 'node:path'
import { task } from 'millrace'

/** Time, request and status of a line of an access log. */
const REQUEST = /^(\S+) \S+ \S+ \[([^\]]+)\] "(\S+) (\S+)[^"]*" (\d{3}) /

/** A request that failed on the server becomes a record; others become nothing. */
export const failedRequest = task(import.meta.url, 'failedRequest', (line: string, { line: number }) => {
  const [, address, time, method, path, status] = REQUEST.exec(line) ?? []
  if (status === undefined) throw new TypeError('not a line of an access log')
  return status.startsWith('5') ? [{ line: number, time, address, method, path, status }] : []
})

/** `1,234.50` to cents. It is called for each field of its column, where the row is parsed. */
export const money = task(import.meta.url, 'money', (text: string) => {
  const amount = Number(text.replaceAll(',', ''))
  if (Number.isNaN(amount)) throw new TypeError('not an amount')
  return Math.round(100 * amount)
})

export interface CustomerRow {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly born: Date | null
  readonly balance: number | null
}

/** What it throws makes a row fail: the program writes that row to the file of rejects. */
export const cleanCustomer = task(import.meta.url, 'cleanCustomer', (row: CustomerRow) => {
  const email = row.email.trim().toLowerCase()
  if (!/^[^@\s]+@[^@\s]+\.[a-z]+$/.test(email)) throw new TypeError(`not an e-mail address: ${row.email}`)
  return {
    id: Number(row.id),
    name: row.name.trim().replace(/\s+/g, ' '),
    email,
    born: row.born?.toISOString().slice(0, 10),
    balance: row.balance ?? 0,
  }
})

export interface Measurement {
  readonly time: string
  readonly sensor: string
  readonly celsius: number | null
}

/** A reading with its day, by which it is filed, and its site, which is the name of its file. */
export const reading = task(import.meta.url, 'reading', ({ time, sensor, celsius }: Measurement, { file = '' }) => {
  if (celsius === null) throw new TypeError('the sensor was off')
  return { day: time.slice(0, 10), time, site: basename(file, '.ndjson'), sensor, celsius }
})

export interface Reading {
  readonly site: string
  readonly sensor: string
  readonly celsius: number | null
}

interface Total {
  count: number
  sum: number
  lowest: number
  highest: number
}

/** By site and sensor. */
export type Totals = Record<string, Total>

export const addReading = task(import.meta.url, 'addReading', (totals: Totals, { site, sensor, celsius }: Reading) => {
  if (celsius !== null) add(totals, `${site}/${sensor}`, { count: 1, sum: celsius, lowest: celsius, highest: celsius })
  return totals
})

/** The workers' totals are added up by this, in the order of the readings. */
export function mergeTotals(totals: Totals, others: Totals): Totals {
  for (const [name, other] of Object.entries(others)) add(totals, name, other)
  return totals
}

function add(totals: Totals, name: string, other: Total): void {
  const total = totals[name]
  if (total === undefined) {
    totals[name] = other
    return
  }
  total.count += other.count
  total.sum += other.sum
  total.lowest = Math.min(total.lowest, other.lowest)
  total.highest = Math.max(total.highest, other.highest)
}
