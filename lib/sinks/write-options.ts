/** Checks the target and the options of `write()`. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { received, typeError } from '../errors.js'
import { isIterable } from '../io/source.js'
import { SUFFIXES, writtenFormatOf } from '../io/suffixes.js'
import type { ColumnType } from '../formats/column-type.js'
import { createHeaderMemory } from '../formats/header-memory.js'
import type { OutputFormat } from '../formats/output-format.js'
import type { PartitionOf } from '../formats/partition-name.js'
import { isAbortSignal, OptionReader, signalHint } from '../options.js'
import type { ShownRun } from '../progress/observed-run.js'
import { contentOf, hashOfFunction } from '../resume/code.js'
import type { PipelinePlan } from '../resume/pipeline.js'
import { readResume, type ResumeOptions, type ResumeSettings } from '../resume/options.js'
import { readCompression } from './compression-option.js'
import type { Compression, CompressionType } from './compression.js'
import type { SourceTrace } from './origin.js'
import { readParquet } from './parquet-options.js'
import { isNumbered, numberedPath } from './rotation.js'
import { readShown } from './shown-run.js'
import { isTemplate, templatePaths } from './template.js'
import { isNodeWritable, isWebWritable, type NodeWritable, type WebWritable } from './stream-targets.js'

/** What `write()` writes to: a path or `file:` URL, or a Node or web stream that takes bytes. */
export type WriteTarget = string | URL | NodeWritable | WebWritable

/** The formats of an output. */
export type WriteFormat = 'text' | 'ndjson' | 'csv' | 'tsv' | 'json' | 'parquet'

/** The options of `write()`. */
export interface WriteOptions {
  /**
   * The format: `'text'` (a string on each line), `'ndjson'` (JSON on each line), `'csv'`, `'tsv'`, `'json'` (one array),
   * or `'parquet'`, which needs the package `hyparquet-writer`. Default: by the suffix of the file (`.ndjson`, `.jsonl`,
   * `.csv`, `.tsv`, `.json`, `.parquet`), or else `'text'`.
   */
  readonly format?: WriteFormat
  /**
   * The compression: `'gzip'`, `'zstd'` (Node 22.15 or later), `false`, or `{ type, level }`. The level is an integer
   * from 0 to 9 for gzip, and from 1 to 19 for zstd. Default: by the last suffix of the file (`.gz`, `.zst`), or else
   * `false`.
   */
  readonly compress?: CompressionType | false | { readonly type: CompressionType; readonly level?: number }
  /**
   * For CSV, TSV and Parquet: the columns, in order. Other keys of the records are left out, and missing ones are empty.
   * Default: the keys of the first record. A later record with another key is then an error.
   */
  readonly columns?: readonly string[]
  /**
   * For Parquet: the types of columns, by their names. They are `'string'`, `'double'`, `'int32'`, `'int64'`, `'boolean'`,
   * `'timestamp'` (a `Date`), `'bytes'` (a `Uint8Array`) and `'json'`. Default: the type of the first value in the column
   * that is not null. A value that does not fit is an error of its item.
   */
  readonly types?: Readonly<Record<string, ColumnType>>
  /**
   * For Parquet: the most rows in a row group. They are collected in memory: 32 MiB at most, or 1 MiB for each file of a
   * partition or a template. Default: 50,000; minimum: 1.
   */
  readonly rowGroup?: number
  /**
   * For CSV and TSV: whether text that a spreadsheet would take for a formula gets a `'` before it. This changes every
   * string that begins with `=`, `+`, `-`, `@`, a tab or a line end. Default: false.
   */
  readonly escapeFormulas?: boolean
  /**
   * Writes several files, in folders below the target. The key of a column: `partition: 'country'` writes
   * `target/country=VALUE/part.csv`. Or a function of a record, which gives the name of the folder. It runs on this
   * thread. Names are percent-encoded, so each belongs to one value. A column that no record has is an error. At most 256
   * files are open at a time. The default format is then `'csv'`. Default: one file.
   */
  readonly partition?: string | ((record: never) => string)
  /**
   * Begins a new file whenever the next record would make this one longer than this many bytes of text, before
   * compression. `{n}` in the path stands for the number of the file, from `00000`: `'out-{n}.csv'`. A record is never
   * cut: a longer one has a file for itself. At least 1. Default: one file.
   */
  readonly rotate?: number
  /** Whether a file that exists is replaced. With false it is an error. Default: true. */
  readonly overwrite?: boolean
  /**
   * Shows how far it is: one line on a terminal, on the standard error. Elsewhere nothing, or with `'plain'` a line every
   * 10 seconds, or with `'json'` an object every second. Default: false.
   */
  readonly progress?: boolean | 'plain' | 'json'
  /**
   * The path of a report on the run, which is written at its end. It ends with `.html` (a page with charts and tables),
   * `.svg` (a picture) or `.json` (the data). If the report cannot be written, that is a warning of the process. Default:
   * none.
   */
  readonly report?: string
  /**
   * Goes on where an earlier run was, if that was stopped: the output is that of a run without a stop. `true`, or an
   * object of `ResumeOptions`. For files whose source is files, too, or `resumable()`. Default: false.
   */
  readonly resume?: boolean | ResumeOptions
  /**
   * Ends the writing when it fires. The promise rejects with its reason, and the unfinished file is removed. With
   * `resume` it is kept, and a last checkpoint is made, if that takes at most two seconds.
   */
  readonly signal?: AbortSignal
}

/** The checked arguments. */
export interface WritePlan {
  readonly target: { readonly path: string } | { readonly node: NodeWritable } | { readonly web: WebWritable }
  /** For one output: it is told the columns of this output. */
  readonly createFormat: () => OutputFormat
  readonly compression: Compression | undefined
  /** Undefined: one output. Otherwise it gives the function that gives the path of a partition. */
  readonly pathsOf: ((inputs: SourceTrace) => (name: string, known?: string) => string) | undefined
  /** Whether there is an output for each input file. */
  readonly byFile: boolean
  /** Gives the partition of a record, where that is a function. */
  readonly partitionOf: PartitionOf | undefined
  /** Undefined: one file. Otherwise the most bytes of text in each. */
  readonly rotate: number | undefined
  readonly overwrite: boolean
  /** Undefined: it begins anew. */
  readonly resume: ResumeSettings | undefined
  /** What must be the same in a run that goes on. */
  readonly comparable: PipelinePlan
  readonly signal: AbortSignal | undefined
  /** Undefined: nothing is shown or recorded. */
  readonly shown: ShownRun | undefined
}

export const ACTION = 'write results'
const OPTIONS = [
  'format',
  'compress',
  'columns',
  'types',
  'rowGroup',
  'escapeFormulas',
  'partition',
  'rotate',
  'overwrite',
  'resume',
  'progress',
  'report',
  'signal',
] as const
const FORMATS = ['text', 'ndjson', 'csv', 'tsv', 'json', 'parquet'] as const

export function planWrite(given: unknown, options: unknown): WritePlan {
  const target = targetOf(given)
  if (isIterable(options)) throw optionsError(options)
  const read = new OptionReader<WriteOptions>(ACTION, options, OPTIONS)
  const { path } = target as { readonly path?: string }
  const compression = readCompression(ACTION, read, path)
  const partition = read.value('partition', 'the key of a column, or a function of a record', isPartition)
  const format =
    read.oneOf('format', FORMATS) ?? (partition === undefined ? (writtenFormatOf(path ?? '') ?? 'text') : 'csv')
  const isText = format === 'csv' || format === 'tsv'
  const isTable = isText || format === 'parquet'
  const columns = read.value('columns', 'an array of different names, not empty', isColumns)
  const escapeFormulas = read.boolean('escapeFormulas')
  if (columns !== undefined && !isTable) {
    read.fail(typeError, 'columns', `left out for the format '${format}': it is for csv, tsv and parquet`, columns)
  }
  if (escapeFormulas !== undefined && !isText) {
    read.fail(typeError, 'escapeFormulas', `left out for the format '${format}': it is for csv and tsv`, escapeFormulas)
  }
  const overwrite = read.boolean('overwrite')
  const resume = readResume(ACTION, read, path === undefined ? undefined : `${path.replace(/[/\\]+$/, '')}.checkpoint`)
  const rotate = read.integer('rotate', 1)
  for (const [name, value] of Object.entries({ overwrite, partition, resume, rotate })) {
    if (value === undefined || path !== undefined) continue
    read.fail(typeError, name, 'left out for a stream: it is for files', value)
  }
  const byFile = isTemplate(path ?? '')
  if (byFile && partition !== undefined) {
    read.fail(typeError, 'partition', 'left out for a template: the input file decides', partition)
  }
  if (rotate !== undefined && (byFile || partition !== undefined)) {
    const other = byFile ? 'a template' : "'partition'"
    read.fail(typeError, 'rotate', `left out with ${other}: it is for one output`, rotate)
  }
  if (typeof given === 'string' && path !== undefined) assertPlaceholders(path, rotate !== undefined)
  const isTerminal = (target as { readonly node?: { readonly isTTY?: boolean } }).node?.isTTY === true
  const parquet = readParquet(ACTION, read, { format, path, isTerminal, columns, compression, resume })
  const split = { partition: typeof partition === 'string' ? partition : undefined, byFile }
  const shared = { columns: columns && [...columns], ...split }
  const csv = {
    kind: 'csv',
    delimiter: format === 'tsv' ? '\t' : ',',
    escapeFormulas: escapeFormulas ?? false,
  } as const
  const createFormat = (): OutputFormat => {
    if (!isText && format !== 'parquet') return { kind: format, ...split }
    // Files may have different columns.
    const header = columns === undefined && !byFile ? createHeaderMemory() : undefined
    return parquet === undefined ? { ...csv, ...shared, header } : { kind: 'parquet', ...parquet, ...shared, header }
  }
  const fileName = `part${SUFFIXES[format]}${compression === undefined ? '' : SUFFIXES[compression.type]}`
  const signal = read.value('signal', 'an AbortSignal', isAbortSignal, signalHint)
  return {
    target,
    createFormat,
    compression,
    pathsOf: byFile
      ? (inputs) => templatePaths(path ?? '', inputs)
      : partition === undefined
        ? undefined
        : () => (name) => join(path ?? '', name, fileName),
    byFile,
    partitionOf: typeof partition === 'function' ? partition : undefined,
    rotate,
    overwrite: overwrite ?? true,
    resume,
    comparable: {
      plan: {
        target: path,
        ...(isText ? { format, columns, escapeFormulas: csv.escapeFormulas } : { format }),
        compress: compression && { ...compression },
        partition: typeof partition === 'function' ? (contentOf(partition)?.plan ?? 'a function') : partition,
        rotate,
        overwrite: overwrite ?? true,
      },
      code:
        typeof partition === 'function' && contentOf(partition) === undefined
          ? { partition: hashOfFunction(partition) }
          : {},
    },
    signal,
    shown: readShown(read),
  }
}

function isPartition(value: unknown): boolean {
  return typeof value === 'function' || (typeof value === 'string' && value !== '')
}

function targetOf(target: unknown): WritePlan['target'] {
  const path = pathOf(target)
  const own = path === undefined ? undefined : STANDARD_STREAMS.get(path)
  if (own !== undefined) return { node: own() }
  if (path !== undefined) return { path }
  if (isWebWritable(target)) {
    if (target.locked) throw targetError(target, ' (it is locked: another writer has it)')
    return { web: target }
  }
  if (isNodeWritable(target)) return { node: target }
  throw targetError(target, targetHint(target))
}

/** Their paths cannot be opened where they are sockets. */
const STANDARD_STREAMS: ReadonlyMap<string, () => NodeWritable> = new Map<string, () => NodeWritable>([
  ['/dev/stdout', () => process.stdout],
  ['/dev/stderr', () => process.stderr],
])

const URL_START = /^[a-z][a-z\d+.-]+:\/\//i

function pathOf(target: unknown): string | undefined {
  if (typeof target === 'string' && target !== '' && !URL_START.test(target)) return target
  if (target === '' || (typeof target !== 'string' && !(target instanceof URL))) return undefined
  const text = String(target)
  if (!text.toLowerCase().startsWith('file:')) {
    throw targetError(text, ' (for a server: open a request, and pass its stream)')
  }
  try {
    return fileURLToPath(text)
  } catch (cause) {
    throw Object.assign(targetError(text, ''), { cause })
  }
}

function targetError(target: unknown, hint: string): TypeError {
  const expected = 'a path, a file: URL, or a stream that takes bytes'
  return typeError(
    'ERR_INVALID_ARGUMENTS',
    `Cannot ${ACTION} as the target must be ${expected}: received ${received(target)}${hint}`,
  )
}

function optionsError(options: unknown): TypeError {
  const cure = 'a source: write(target)(source), or pipe(source, write(target))'
  const text = `Cannot ${ACTION} as its options must be an object: received ${received(options)} (${cure})`
  return typeError('ERR_INVALID_OPTION', text)
}

/** Placeholders that a template does not have would be part of the name. The path of a URL is taken as it is. */
function assertPlaceholders(path: string, isRotated: boolean): void {
  if (isRotated && !isNumbered(path)) {
    const text = `Cannot ${ACTION} as the path must have {n} for the number of the file: received ${received(path)}`
    throw typeError('ERR_INVALID_ARGUMENTS', `${text} (with 'rotate' there are several: 'out-{n}.csv')`)
  }
  const unknown = /\{(?!(?:name|dir|index)\})[a-z]+\}/.exec(isRotated ? numberedPath(path, 0) : path)?.[0]
  if (unknown === undefined) return
  const expected = "the placeholders of a path must be {name}, {dir} or {index}, or {n} with 'rotate'"
  throw typeError(
    'ERR_INVALID_ARGUMENTS',
    `Cannot ${ACTION} as ${expected}: received '${unknown}' (for a name with braces: pathToFileURL(path))`,
  )
}

function targetHint(target: unknown): string {
  if (target === undefined || target === null || target === '')
    return ' (nothing was given: check the value of the path)'
  if (target === 1) return ' (for the standard output: process.stdout)'
  if (typeof target === 'number') return " (for a file descriptor: createWriteStream('', { fd }))"
  if (isIterable(target)) return ' (a source: pipe(source, write(target)))'
  const { createWriteStream, writable, stdin } = Object(target) as Readonly<Record<string, unknown>>
  if (typeof createWriteStream === 'function') return ' (for an open file: file.createWriteStream())'
  if (isWebWritable(writable)) return ' (for its input: .writable)'
  return isNodeWritable(stdin) ? ' (for the input of a child process: child.stdin)' : ''
}

function isColumns(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false
  const names: readonly unknown[] = value
  return names.every((name) => typeof name === 'string') && new Set(names).size === names.length
}
