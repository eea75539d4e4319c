/**
 * What the suffixes of names say of inputs and outputs: their formats, and how they are compressed. A name is a path, a
 * glob or a URL.
 */
import { pathIn } from './urls.js'

/** The formats that have suffixes. */
export type FileFormat = 'csv' | 'tsv' | 'ndjson' | 'json'

const FORMATS: Readonly<Record<string, FileFormat>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json': 'json',
}

/** The compressions that can be written. */
export type WrittenCompression = 'gzip' | 'zstd'

const WRITTEN: Readonly<Record<string, WrittenCompression>> = { '.gz': 'gzip', '.zst': 'zstd' }
const BROTLI = '.br'
/** The others, for which a program is needed. */
const FOREIGN: ReadonlySet<string> = new Set(['.bz2', '.xz', '.zip', '.lz4', '.7z'])

/** The suffixes of files that are named here. */
export const SUFFIXES = {
  text: '.txt',
  ndjson: '.ndjson',
  csv: '.csv',
  tsv: '.tsv',
  json: '.json',
  parquet: '.parquet',
  gzip: '.gz',
  zstd: '.zst',
} as const

/** The format of a file, which may be compressed, or of a glob. Undefined: its name says nothing. */
export function formatOfName(path: string): FileFormat | undefined {
  return FORMATS[suffixOf(withoutCompression(path))]
}

/** The same, for an output. */
export function writtenFormatOf(path: string): FileFormat | 'parquet' | undefined {
  return suffixOf(withoutCompression(path)) === SUFFIXES.parquet ? 'parquet' : formatOfName(path)
}

/** The same, for an input. */
export function inputFormatOfName(path: string): FileFormat | 'parquet' | undefined {
  return writtenFormatOf(path)
}

/** How an output with this name is compressed. Undefined: not, or in a way that cannot be written. */
export function writtenCompressionOf(path: string): WrittenCompression | undefined {
  return WRITTEN[suffixOf(path)]
}

/** The suffix of a compression that cannot be written. Undefined: the name has none. */
export function unwrittenSuffixOf(path: string): string | undefined {
  const suffix = suffixOf(path)
  return suffix === BROTLI || FOREIGN.has(suffix) ? suffix : undefined
}

/** Whether the name says that the file is compressed, in whatever way. */
export function hasCompressedName(path: string): boolean {
  return writtenCompressionOf(path) !== undefined || unwrittenSuffixOf(path) !== undefined
}

/** Whether the name says that the file is compressed, and no program is needed to read it. */
export function isReadableCompressed(path: string): boolean {
  return writtenCompressionOf(path) !== undefined || isBrotliName(path)
}

/** Brotli is told by the name alone, as its data have no mark. */
export function isBrotliName(path: string): boolean {
  return suffixOf(path) === BROTLI
}

/** The name without the suffix of a compression. */
export function withoutCompression(path: string): string {
  return hasCompressedName(path) ? pathIn(path).slice(0, -suffixOf(path).length) : path
}

/** In lower case, with its dot. The dot that a name begins with does not count. */
export function suffixOf(path: string): string {
  return (/[^/\\](\.[^./\\]+)$/.exec(pathIn(path))?.[1] ?? '').toLowerCase()
}
