/** Three columns of a table as NDJSON: what contenders write, and how it is checked. */
import { createHash } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import type { Entry } from '../harness/case.js'
import { table, type Row, type Table } from './table.js'

/** What contenders write, without the spaces that some put between names and values. */
export interface Content {
  readonly size: number
  readonly hash: string
}

/** A table, and the text that contenders must write. */
export interface Picks extends Table {
  readonly written: Content
}

export type Picked = Pick<Row, 'id' | 'city' | 'amount'>

/** The columns that are written. */
export const PICKED: readonly string[] = ['id', 'city', 'amount']

/** The work on each row. The values stay strings, so that all contenders write the same ones. */
export function pickOf({ id, city, amount }: Picked): Picked {
  return { id, city, amount }
}

/** The table, and the text that is to be written. */
export async function picks(rows: number): Promise<Picks> {
  const made = await table(rows, 'plain')
  return { ...made, written: contentOf(await pickedText(made)) }
}

/** The text that is to be written: made by a loop that knows that no field has quotes or commas. */
export async function pickedText({ path }: Table): Promise<string> {
  const records = (await readFile(path, 'latin1')).split('\n').slice(1, -1)
  const picked = records.map((record) => {
    const [id = '', , , amount = '', , city = ''] = record.split(',')
    return `{"id":"${id}","city":"${city}","amount":"${amount}"}\n`
  })
  return picked.join('')
}

/** Measures a contender that writes picks. What was written is looked at afterwards. */
export function converting({ path }: Table, work: (input: string, output: string) => unknown): Entry['run'] {
  const output = `${path}.${process.pid}.out.ndjson`
  return async () => {
    const start = performance.now()
    await work(path, output)
    const figure = (performance.now() - start) / 1_000
    const answer = await writtenTo(output)
    await rm(output)
    return { figure, answer }
  }
}

/** What a contender has written. */
export async function writtenTo(path: string): Promise<Content> {
  return contentOf(await readFile(path, 'latin1'))
}

function contentOf(text: string): Content {
  const plain = text.replaceAll('": "', '":"').replaceAll('", "', '","')
  return { size: plain.length, hash: createHash('sha1').update(plain, 'latin1').digest('hex') }
}
