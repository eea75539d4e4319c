/** What the suffixes of names say about formats, for inputs and outputs. */
import type { CompressionFormat } from './plan.js'

export type FileFormat = 'csv' | 'tsv' | 'ndjson' | 'json'

const FORMATS: Readonly<Record<string, FileFormat>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json': 'json',
}
const COMPRESSIONS: Readonly<Record<string, CompressionFormat>> = { '.gz': 'gzip', '.zst': 'zstd' }
const COMPRESSED = new Set(['.gz', '.zst', '.br', '.xz', '.bz2', '.lz4'])

/** The format of a file, which may be compressed, or of a glob. Undefined: its name says nothing. */
export function formatOf(path: string): FileFormat | undefined {
  return FORMATS[suffixOf(isCompressed(path) ? path.slice(0, -suffixOf(path).length) : path)]
}

export function isCompressed(path: string): boolean {
  return COMPRESSED.has(suffixOf(path))
}

/** How an output with this name is compressed. */
export function compressionOf(path: string): CompressionFormat | undefined {
  return COMPRESSIONS[suffixOf(path)]
}

/** In lower case, with its dot. The dot that a name begins with does not count. */
export function suffixOf(path: string): string {
  return (/[^/\\](\.[^./\\]+)$/.exec(path)?.[1] ?? '').toLowerCase()
}
