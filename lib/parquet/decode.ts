/** Reads and decodes units of rows, on the thread that calls. The last unit is kept for a moment: its rows may be asked for in parts. */
import type { FileHandle } from 'node:fs/promises'
import {
  placeInUnit,
  isDecoded,
  noteDecoded,
  type DecodedRows,
  type RowSegment,
  type RowUnit,
} from '../codec/rows/row-data.js'
import { MillraceError, RecordError } from '../errors.js'
import { decompressorsOf } from './codecs.js'
import { reasonOf } from './faults.js'
import { readRange, withFile } from './open-file.js'
import { loadHyparquet, type Decompress, type FileMetadata, type Hyparquet, type Values } from './package.js'
import { checkPages } from './pages.js'
import { Rows, type DecodedColumn } from './rows.js'
import { COLUMN } from './shape.js'
import type { PlannedColumn, UnitPlan } from './units.js'
import { textOf } from './values.js'

/** How long the last unit is kept, in milliseconds. */
const KEPT_MS = 1_000

let kept: { readonly key: string; readonly rows: DecodedRows } | undefined
let forgetting: NodeJS.Timeout | undefined

/** Afterwards, the rows of the segments can be read. If a unit cannot be decoded, each of its rows throws. Never rejects. */
export async function decodeSegments(segments: readonly RowSegment[]): Promise<void> {
  for (const unit of new Set(segments.map((segment) => segment.unit))) {
    if (!isDecoded(unit)) noteDecoded(unit, await rowsOf(unit))
  }
}

async function rowsOf(unit: RowUnit): Promise<DecodedRows> {
  if (kept?.key === unit.key) return kept.rows
  // Only one is in memory while the next one is decoded.
  kept = undefined
  const rows = await decodeUnit(unit)
  kept = { key: unit.key, rows }
  clearTimeout(forgetting)
  forgetting = setTimeout(() => {
    kept = undefined
  }, KEPT_MS).unref()
  return rows
}

/** Never rejects. */
export async function decodeUnit(unit: RowUnit): Promise<DecodedRows> {
  try {
    return new Rows(unit, await columnsOf(unit))
  } catch (error) {
    return {
      row: (position) => {
        throw unitError(unit, position, error)
      },
    }
  }
}

async function columnsOf({ file: path, plan, count }: RowUnit): Promise<DecodedColumn[]> {
  const { size, changed, columns, rows, start } = plan as UnitPlan
  const codecs = new Set(columns.flatMap(({ leaves }) => leaves.map(({ codec }) => codec ?? '')))
  const hyparquet = loadHyparquet()
  const decompressors = decompressorsOf(codecs)
  return await withFile(path, async (file, state) => {
    if (state.size !== size || state.changed !== changed)
      throw new Error('the file has changed since its footer was read')
    const decoded: DecodedColumn[] = []
    for (const column of columns) {
      try {
        decoded.push(await columnOf(file, column, { rows, start, end: start + count }, hyparquet, decompressors))
      } catch (error) {
        throw new Error(`column '${column.name}' cannot be decoded: ${reasonOf(error)}`, { cause: error })
      }
    }
    return decoded
  })
}

interface Range {
  /** Of the row group. */
  readonly rows: number
  readonly start: number
  readonly end: number
}

async function columnOf(
  handle: FileHandle,
  column: PlannedColumn,
  { rows, start, end }: Range,
  { parquetRead, snappyUncompress }: Hyparquet,
  compressors: Readonly<Record<string, Decompress>>,
): Promise<DecodedColumn> {
  const { name, shape, leaves } = column
  const parts: { readonly at: number; readonly values: Values }[] = []
  const slice = async (from: number, to: number): Promise<ArrayBuffer> => {
    const bytes = await readRange(handle, from, to)
    for (const leaf of leaves) {
      if (leaf.start < from || leaf.end > to) continue
      const decompress = (page: Uint8Array, length: number): Uint8Array => {
        if (leaf.codec === 'UNCOMPRESSED') return page
        const own = compressors[leaf.codec ?? '']
        if (own !== undefined) return own(page, length)
        const output = new Uint8Array(length)
        snappyUncompress(page, output)
        return output
      }
      const bounds = { ...leaf, size: leaf.uncompressed }
      checkPages(bytes.subarray(leaf.start - from, leaf.end - from), bounds, decompress)
    }
    return bytes.buffer
  }
  await parquetRead({
    file: { byteLength: Infinity, slice: (from, to) => slice(from, to ?? from) },
    metadata: metadataOf(column, rows),
    columns: [COLUMN],
    rowStart: start,
    rowEnd: end,
    compressors,
    utf8: false,
    parsers: { stringFromBytes: textOf, timestampFromNanoseconds: (value: bigint) => value },
    onChunk: ({ rowStart, columnData }) => parts.push({ at: rowStart, values: columnData }),
  })
  parts.sort((one, other) => one.at - other.at)
  const [first] = parts
  const at = first?.at ?? start
  let reached = at
  for (const part of parts) {
    if (part.at !== reached) throw new Error(`it has no values from row ${reached} on`)
    reached += part.values.length
  }
  // Less would look like missing values.
  if (at > start || reached < end || reached > rows) throw new Error(`it has ${reached} values, of ${rows}`)
  const values = joined(parts.map((part) => part.values))
  checkBounds(column, values)
  return { name, shape, start: at - start, values }
}

/** Of numbers without sign. Decimals and times have other bounds. */
function checkBounds({ shape, leaves }: PlannedColumn, values: Values): void {
  const [leaf] = leaves
  if (shape.kind !== 'uint32' || leaf?.bounds === undefined) return
  const [min, max] = leaf.bounds
  for (const value of values) {
    if (typeof value === 'number' && (value >>> 0 < min || value >>> 0 > max))
      throw new Error(`it has the value ${value >>> 0}, and its footer says: from ${min} to ${max}`)
  }
}

/** What the package needs to know of a column: its part of the schema, and where its leaves are. */
function metadataOf({ elements, leaves }: PlannedColumn, rows: number): FileMetadata {
  const columns = leaves.map(({ type, codec, path, values, uncompressed, start, end, dataPage, dictionaryPage }) => ({
    file_offset: 0n,
    meta_data: {
      type,
      codec,
      path_in_schema: path,
      num_values: BigInt(values),
      total_uncompressed_size: BigInt(uncompressed),
      total_compressed_size: BigInt(end - start),
      data_page_offset: BigInt(dataPage),
      dictionary_page_offset: dictionaryPage === 0 ? undefined : BigInt(dictionaryPage),
    },
  }))
  const num_rows = BigInt(rows)
  return {
    version: 1,
    schema: [{ name: 'root', num_children: 1 }, ...elements],
    num_rows,
    row_groups: [{ columns, num_rows, total_byte_size: 0n }],
  }
}

function joined(parts: readonly Values[]): Values {
  const [first] = parts
  if (first !== undefined && parts.length === 1) return first
  const all: unknown[] = []
  for (const part of parts) for (const value of part) all.push(value)
  return all
}

/** A separate error for each row: it says which one it is. */
function unitError(unit: RowUnit, position: number, cause: unknown): unknown {
  // Nothing is wrong with the row.
  if (cause instanceof MillraceError) return cause
  const place = placeInUnit(unit, position)
  const { group } = unit.plan as UnitPlan
  const text = `Cannot read record ${place.record} of '${unit.file}' (row group ${group}) as ${reasonOf(cause)}`
  return new RecordError(text, 'ERR_PARQUET', place, { cause })
}
