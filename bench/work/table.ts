/**
 * The CSV file that is read. It is made here, once, and kept in the temporary folder. Its maker also knows the right
 * answer.
 */
import { createWriteStream } from 'node:fs'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { mulberry32 } from './random.js'

/** A file of rows with eight columns, and the right answer. */
export interface Table {
  readonly path: string
  /** The size of the file in bytes. */
  readonly size: number
  readonly rows: number
  readonly sums: Sums
}

/** What contenders find: they need all fields for it. */
export interface Sums {
  rows: number
  /** The characters of all fields. */
  characters: number
}

/** A row as readers give it. */
export interface Row {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly amount: string
  readonly day: string
  readonly city: string
  readonly active: string
  readonly note: string
}

/** `'quoted'`: every field is in quotes, and one note of four has several lines, commas and quotes. */
export type Style = 'plain' | 'quoted'

/** Change this number whenever the file changes. */
const VERSION = 2
const BLOCK = 256 * 1024
const COLUMNS = ['id', 'name', 'email', 'amount', 'day', 'city', 'active', 'note']
const FIRST = ['Ann', 'Bob', 'Carol', 'Dieter', 'Eva', 'Frank', 'Greta', 'Hugo', 'Ida', 'Jan']
const LAST = ['Smith', 'Meyer', 'Garcia', 'Rossi', 'Novak', 'Jensen', 'Dubois', 'Kowalski']
const CITIES = ['Berlin', 'Paris', 'Rome', 'Vienna', 'Madrid', 'Lisbon', 'Prague', 'Oslo', 'New York', 'Sao Paulo']
const WORDS = ['paid', 'late', 'call back', 'new customer', 'by card', 'second order', 'returned', 'no answer']

export function noSums(): Sums {
  return { rows: 0, characters: 0 }
}

/** The work on each row, as little as needs all its fields: all contenders call this function. */
export function addRow(sums: Sums, row: Row): Sums {
  sums.rows++
  sums.characters +=
    row.id.length +
    row.name.length +
    row.email.length +
    row.amount.length +
    row.day.length +
    row.city.length +
    row.active.length +
    row.note.length
  return sums
}

export function mergeSums(one: Sums, other: Sums): Sums {
  one.rows += other.rows
  one.characters += other.characters
  return one
}

/** The file of this many rows. It is made if it does not exist. */
export async function table(rows: number, style: Style): Promise<Table> {
  const path = join(tmpdir(), `millrace-bench-table-${style}-${rows}-v${VERSION}.csv`)
  const known = `${path}.json`
  // The note is written last, so that half a file never has one.
  const kept = await readFile(known, 'utf8').then(
    (text) => JSON.parse(text) as Table,
    () => undefined,
  )
  const found = await stat(path).catch(() => undefined)
  if (kept !== undefined && found?.size === kept.size) return kept
  const partial = `${path}.part`
  const sums = noSums()
  try {
    await pipeline(blocks(rows, style, sums), createWriteStream(partial))
    const { size } = await stat(partial)
    await rename(partial, path)
    const made = { path, size, rows, sums }
    await writeFile(known, JSON.stringify(made))
    return made
  } finally {
    await rm(partial, { force: true })
  }
}

function* blocks(rows: number, style: Style, sums: Sums): Generator<Buffer> {
  let block = `${COLUMNS.join()}\n`
  for (const fields of allRows(rows, style, sums)) {
    const all = style === 'quoted' ? fields.map((field) => `"${field.replaceAll('"', '""')}"`) : fields
    block += `${all.join()}\n`
    if (block.length < BLOCK) continue
    yield Buffer.from(block)
    block = ''
  }
  yield Buffer.from(block)
}

function* allRows(rows: number, style: Style, sums: Sums): Generator<string[]> {
  const random = mulberry32(20_261_129)
  const pick = (list: readonly string[]): string => list[Math.floor(list.length * random())] ?? ''
  for (let id = 1; id <= rows; id++) {
    const [first, last] = [pick(FIRST), pick(LAST)]
    const words = [pick(WORDS), pick(WORDS), pick(WORDS)]
    const isLong = style === 'quoted' && id % 4 === 0
    const note = isLong ? `${words[0]},\n"${words[1]}"\n\n${words[2]}` : words.join(' and ')
    const row: Row = {
      id: String(id),
      name: `${first} ${last}`,
      email: `${first}.${last}.${id % 997}@example.com`.toLowerCase(),
      amount: (random() * 10_000).toFixed(2),
      day: `20${10 + (id % 17)}-0${1 + (id % 9)}-${10 + (id % 19)}`,
      city: pick(CITIES),
      active: id % 3 === 0 ? 'true' : 'false',
      note,
    }
    addRow(sums, row)
    yield Object.values(row)
  }
}
