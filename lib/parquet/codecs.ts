/** Decompresses pages: by Node where it can, and else by the package hyparquet-compressors. */
import * as zlib from 'node:zlib'
import { loadCompressors, type Decompress } from './package.js'

const { zstdDecompressSync } = zlib as {
  readonly zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Buffer
}

/** The header says how long a page is, so it cannot fill the memory. */
function bounded(length: number): { maxOutputLength: number } {
  return { maxOutputLength: Math.max(1, length) }
}

const BY_NODE: Readonly<Record<string, Decompress>> = {
  GZIP: (bytes, length) => zlib.unzipSync(bytes, bounded(length)),
  BROTLI: (bytes, length) => zlib.brotliDecompressSync(bytes, bounded(length)),
  ...(zstdDecompressSync && { ZSTD: (bytes, length) => zstdDecompressSync(bytes, bounded(length)) }),
}
/** hyparquet has these. */
const BUILT_IN: ReadonlySet<string> = new Set(['UNCOMPRESSED', 'SNAPPY'])
/** Those of the package. */
const BY_PACKAGE: ReadonlySet<string> = new Set(['ZSTD', 'LZ4', 'LZ4_RAW'])

/** Whether there is a way to decompress it, with or without a package. */
export function isKnownCodec(codec: string | undefined): codec is string {
  return codec !== undefined && (BUILT_IN.has(codec) || Object.hasOwn(BY_NODE, codec) || BY_PACKAGE.has(codec))
}

/** @throws MillraceError `ERR_MISSING_PACKAGE` */
export function decompressorsOf(codecs: Iterable<string>): Readonly<Record<string, Decompress>> {
  const all: Record<string, Decompress> = { ...BY_NODE }
  for (const codec of codecs) {
    if (BUILT_IN.has(codec) || Object.hasOwn(all, codec)) continue
    const found = loadCompressors(codec)[codec]
    if (found !== undefined) all[codec] = found
  }
  return all
}
