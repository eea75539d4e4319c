/** What is read of a file together: its row groups, or pieces of them. And what a worker needs to know for that. */
import type { RowUnit } from '../codec/rows/row-data.js'
import { InputError } from '../errors.js'
import { isKnownCodec } from './codecs.js'
import { unreadable } from './faults.js'
import type { Chunk, Footer, Group } from './footer.js'
import type { SchemaElement } from './package.js'
import type { Leaf, SchemaColumn, Shape } from './shape.js'

/** Of a larger row group, pieces are read, if pages of other pieces can be passed over. */
const MAX_ROWS = 262_144
/** A piece with fewer rows is not worth a message. */
const MIN_ROWS = 4_096
/** How many names are shown of columns that a file has. */
const SHOWN = 20

/** How a unit is read. Plain data. */
export interface UnitPlan {
  readonly size: number
  readonly changed: number
  /** The number of the row group in its file, from 1, how many rows it has, and where the unit begins among these. */
  readonly group: number
  readonly rows: number
  readonly start: number
  readonly columns: readonly PlannedColumn[]
}

export interface PlannedColumn {
  readonly name: string
  readonly shape: Shape
  readonly elements: readonly SchemaElement[]
  readonly leaves: readonly (Chunk & { readonly path: readonly string[] } & Pick<Leaf, 'definition' | 'repetition'>)[]
}

/**
 * @param names The columns that are wanted; undefined: all.
 * @param wanted How many units there should be at least: as many as workers can read at once.
 * @throws InputError if a column is not there, or cannot be read.
 */
export function unitsOf(
  file: string,
  footer: Footer,
  names: readonly string[] | undefined,
  wanted: number,
): readonly RowUnit[] {
  const columns = wantedColumns(file, footer, names)
  const isFlat = columns.every((column) => column.isFlat)
  return footer.groups.flatMap((group, at) => {
    const planned = columns.map((column) => plannedColumn(file, column, group))
    const { rows, firstRow, offset } = group
    const pieces = Math.min(Math.ceil(wanted / footer.groups.length), Math.floor(rows / MIN_ROWS))
    const count = Math.max(1, pieces, isFlat ? Math.ceil(rows / MAX_ROWS) : 1)
    const length = Math.ceil(rows / count)
    const { size, changed } = footer
    return Array.from({ length: Math.ceil(rows / length) }, (_, piece) => {
      const start = piece * length
      const plan: UnitPlan = { size, changed, group: at + 1, rows, start, columns: planned }
      const key = JSON.stringify([file, size, changed, at, start, length, columns.map(({ name }) => name)])
      return { key, file, record: firstRow + start + 1, offset, count: Math.min(length, rows - start), plan }
    })
  })
}

/** How their columns are compressed. */
export function codecsOf(units: readonly RowUnit[]): ReadonlySet<string> {
  const plans = units.map(({ plan }) => plan as UnitPlan)
  return new Set(
    plans.flatMap(({ columns }) => columns.flatMap(({ leaves }) => leaves.map(({ codec }) => codec ?? ''))),
  )
}

function wantedColumns(
  file: string,
  { columns }: Footer,
  names: readonly string[] | undefined,
): readonly SchemaColumn[] {
  if (names === undefined) return columns
  const byName = new Map(columns.map((column) => [column.name, column]))
  return names.map((name) => byName.get(name) ?? absent(file, name, columns))
}

function absent(file: string, name: string, columns: readonly SchemaColumn[]): never {
  const shown = columns.slice(0, SHOWN).map((column) => `'${column.name}'`)
  if (columns.length > SHOWN) shown.push(`and ${columns.length - SHOWN} others`)
  const bare = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')
  const meant = columns.find((column) => bare(column.name) === bare(name))
  const hint = meant === undefined ? '' : `: did you mean '${meant.name}'?`
  const error = new InputError(
    `Cannot read '${file}' as Parquet as it has no column '${name}'${hint} (it has ${shown.join(', ')})`,
    'ERR_INPUT_COLUMN',
    0,
  )
  throw Object.assign(error, { path: file })
}

function plannedColumn(
  file: string,
  { name, shape, elements, leaves, firstLeaf }: SchemaColumn,
  group: Group,
): PlannedColumn {
  const own = leaves.map(({ renamed, definition, repetition }, i) => {
    const chunk = group.chunks[firstLeaf + i]
    if (chunk === undefined) throw unreadable(file, `column '${name}' is missing`)
    if (chunk.isEncrypted) throw unreadable(file, `its column '${name}' is encrypted`, 'leave it out by columns')
    if (!isKnownCodec(chunk.codec))
      throw unreadable(
        file,
        `column '${name}' is compressed by ${chunk.codec ?? 'an unknown method'}`,
        'leave it out by columns',
      )
    return { ...chunk, path: renamed, definition, repetition }
  })
  return { name, shape, elements, leaves: own }
}
