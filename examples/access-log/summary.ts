/** The figures of the report, added up record by record. No input and no output here. */
import type { Entry, Malformed } from './parse.js'

/** How many malformed lines are kept to be shown; the others are only counted. */
const SHOWN = 10

/** Where a malformed line stands, and how it begins. */
export interface MalformedLine {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly excerpt: string
}

/**
 * The figures of some access logs that an operator needs.
 *
 * A malformed line counts as a request if it is valid up to its status. Its status then counts, because such lines
 * often come from hostile requests, which belong in the error rate. The rest of the line is ignored: one wrong byte
 * count would spoil the whole sum.
 *
 * Costs a map entry (about 100 bytes) for each distinct address and each distinct path, for any number of lines.
 */
export class Summary {
  lines = 0
  requests = 0
  /** Bytes of the answers to the well-formed requests. */
  bytes = 0
  malformed = 0
  /** The first malformed lines. */
  readonly malformedLines: MalformedLine[] = []
  readonly statuses = new Map<number, number>()
  readonly addresses = new Map<string, number>()
  readonly paths = new Map<string, number>()
  /** Requests by the hour of the day, 24 of them. */
  readonly hours: number[] = Array.from({ length: 24 }, () => 0)

  /** Adds the record of one line; `line` is its number in `file`, from 1. */
  add(record: Entry | Malformed, file: string, line: number): void {
    this.lines++
    if (record.status !== undefined) {
      this.requests++
      count(this.statuses, record.status)
    }
    if ('malformed' in record) {
      this.malformed++
      if (this.malformedLines.length < SHOWN) this.malformedLines.push({ file, line, excerpt: record.malformed })
      return
    }
    this.bytes += record.bytes
    count(this.addresses, record.address)
    count(this.paths, record.path)
    this.hours[record.hour] = (this.hours[record.hour] ?? 0) + 1
  }

  /** How many requests were answered with a status from `first` to `last`. */
  answeredWith(first: number, last: number): number {
    let sum = 0
    for (const [status, requests] of this.statuses) if (status >= first && status <= last) sum += requests
    return sum
  }
}

/** The `n` keys with the highest counts, highest first; by key where counts are equal. Sorts all of them. */
export function top<K extends string | number>(counts: ReadonlyMap<K, number>, n = Infinity): [K, number][] {
  return Array.from(counts)
    .sort(([keyA, a], [keyB, b]) => b - a || (keyA < keyB ? -1 : 1))
    .slice(0, n)
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
