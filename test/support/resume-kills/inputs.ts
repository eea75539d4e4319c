/** Makes the input files of runs that are killed: the same records as CSV, NDJSON, JSON and lines, plain and compressed. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { randomOf } from '../random.js'
import type { Row } from './tasks.js'

const FILES = 3
const KINDS = ['a', 'b', 'c', 'é/d', '']
/** How long the text of a compressed member is, about. Members end anywhere, also within a record. */
const MEMBER = 24 * 1024

type Text = (rows: readonly Row[]) => string
type Compress = (text: Buffer) => Buffer

const TEXTS: Readonly<Record<string, Text>> = {
  csv: (rows) => ['id,kind,text', ...rows.map(({ id, kind, text }) => [id, kind, quoted(text)].join()), ''].join('\n'),
  ndjson: (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  txt: (rows) => rows.map(({ id, kind, text }) => `${id} ${kind} ${text.replaceAll('\n', ' ')}\n`).join(''),
  json: (rows) => JSON.stringify(rows, undefined, 1),
}

/** Node 20 has no zstd. */
const { zstdCompressSync } = zlib as { readonly zstdCompressSync?: Compress }
export const hasZstd: boolean = zstdCompressSync !== undefined

/**
 * Writes the files into a folder, as `csv/rows-0.csv` and so on.
 *
 * @param rows How many records each file has.
 */
export function makeInputs(folder: string, rows: number): void {
  const random = randomOf(1)
  const files = Array.from({ length: FILES }, (_, file) =>
    Array.from({ length: rows }, (_, at) => rowOf(file * rows + at, random)),
  )
  for (const [format, textOf] of Object.entries(TEXTS)) {
    const texts = files.map((rows) => Buffer.from(textOf(rows)))
    writeAll(folder, format, texts)
    writeAll(folder, `${format}.gz`, texts, zlib.gzipSync)
    if (zstdCompressSync !== undefined) writeAll(folder, `${format}.zst`, texts, zstdCompressSync)
  }
}

function writeAll(folder: string, suffix: string, texts: readonly Buffer[], compress?: Compress): void {
  mkdirSync(join(folder, suffix), { recursive: true })
  for (const [file, text] of texts.entries()) {
    const bytes = compress === undefined ? text : Buffer.concat(membersOf(text).map(compress))
    writeFileSync(join(folder, suffix, `rows-${file}.${suffix}`), bytes)
  }
}

function membersOf(text: Buffer): Buffer[] {
  const count = Math.ceil(text.length / MEMBER)
  return Array.from({ length: count }, (_, at) => text.subarray(at * MEMBER, (at + 1) * MEMBER))
}

function rowOf(id: number, random: () => number): Row {
  const words = Array.from({ length: 1 + Math.floor(random() * 12) }, () => Math.floor(random() * 1e9).toString(36))
  const between = random() < 0.1 ? '",\n"ü' : ' '
  return { id, kind: KINDS[Math.floor(random() * KINDS.length)] ?? '', text: words.join(between) }
}

function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
