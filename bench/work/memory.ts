/** The streams and the consumers of the cases about memory. They throw if a result is missing or out of order. */
import { csv, imap, lines, pipe, write } from 'millrace'
import { rm } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Log } from './log.js'
import { numbers } from './numbers.js'
import { PICKED } from './picks.js'
import type { SizedLines } from './sized-lines.js'
import type { Row, Table } from './table.js'
import { echo, largeRecord, parse, pick, smallRecord, type SmallRecord } from './tasks.js'
import { add, merge, none } from './totals.js'

export type RecordSize = 'small' | 'large'

const RECORDS = { small: smallRecord, large: largeRecord }

/** Records made from numbers, on worker threads. */
export function records(size: RecordSize, count: number, options?: { window: number }): AsyncIterable<SmallRecord> {
  return imap(RECORDS[size], numbers(count), options)
}

/** The control: the same records by the same kind of loop, without a library or threads. */
// eslint-disable-next-line @typescript-eslint/require-await -- asynchronous, as the stream is that it stands beside
export async function* plainRecords(count: number): AsyncGenerator<SmallRecord> {
  for (const id of numbers(count)) yield smallRecord(id)
}

/** Takes this many microseconds for each record. */
export async function consume(stream: AsyncIterable<SmallRecord>, count: number, microseconds = 0): Promise<void> {
  let expected = 0
  for await (const { id } of stream) {
    if (id !== expected++) throw new Error(`Result ${expected - 1} was that of item ${id}`)
    linger(microseconds)
  }
  if (expected !== count) throw new Error(`${count} items gave ${expected} results`)
}

/** Parses a log this many times, as one stream, and takes this many microseconds for each line. */
export async function readLog(log: Log, times: number, microseconds = 0): Promise<void> {
  const totals = none()
  const expected = none()
  for (let i = 0; i < times; i++) merge(expected, log.totals)
  for await (const hit of imap(parse, lines(Array<string>(times).fill(log.path)))) {
    add(totals, hit)
    linger(microseconds)
  }
  if (!isDeepStrictEqual(totals, expected)) throw new Error(`The totals of ${log.path} are ${JSON.stringify(totals)}`)
}

/** Sends each line to a worker and back, reads the file this many times as one stream, and takes some time for each line. */
export async function echoLines(file: SizedLines, times: number, microseconds = 0): Promise<void> {
  let count = 0
  for await (const line of imap(echo, lines(Array<string>(times).fill(file.path)))) {
    const number = parseInt(line)
    if (number !== count % file.lines || line.length !== file.bytes - 1) {
      throw new Error(`Result ${count} has ${line.length} characters and number ${number}`)
    }
    count++
    linger(microseconds)
  }
  if (count !== times * file.lines) throw new Error(`${times * file.lines} lines gave ${count} results`)
}

/** Reads a table this many times, as one stream, and writes three of its columns as NDJSON into one file. */
export async function convertTable({ path, rows }: Table, times: number): Promise<void> {
  const output = `${path}.${process.pid}.out.ndjson`
  const source = csv<Row>(Array<string>(times).fill(path), { columns: PICKED })
  const { written } = await pipe(source, imap(pick), write(output))
  await rm(output)
  if (written !== times * rows) throw new Error(`${times * rows} rows gave ${written} records`)
}

/** The peak memory of this process with all its threads, in MB (10⁶ bytes). */
export function peak(): number {
  return (process.resourceUsage().maxRSS * 1_024) / 1e6
}

function linger(microseconds: number): void {
  if (microseconds === 0) return
  const until = performance.now() + microseconds / 1_000
  while (performance.now() < until);
}
