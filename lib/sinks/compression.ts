/** The compressions of outputs: their levels, and how a block is compressed in the thread pool. */
import { promisify } from 'node:util'
import zlib, { type ZlibOptions } from 'node:zlib'
import type { WrittenCompression } from '../io/suffixes.js'

export type CompressionType = WrittenCompression

export interface Compression {
  readonly type: CompressionType
  /** Undefined: the default of the compressor. */
  readonly level: number | undefined
}

/** Levels of zlib, and those of zstd that need no more memory than usual. */
export const LEVELS = { gzip: { min: 0, max: 9 }, zstd: { min: 1, max: 19 } } as const

type Compress = (bytes: Uint8Array) => Promise<Uint8Array>

interface Zstd {
  readonly zstdCompress?: (
    bytes: Uint8Array,
    options: object,
    done: (error: Error | null, result: Buffer) => void,
  ) => void
  readonly constants: { readonly ZSTD_c_compressionLevel?: number }
}

/** Whether this version of Node has zstd. */
export function hasZstd(): boolean {
  return (zlib as unknown as Zstd).zstdCompress !== undefined
}

/**
 * How much a compressor gives at a time, in bytes. Each time this thread has to ask for more: with Node's 16 KiB the
 * thread pool would wait for a busy event loop.
 */
const CHUNK_SIZE = 2 ** 20

/** A function that compresses a block into bytes that can be read alone, and behind others. */
export function compressorOf({ type, level }: Compression): Compress {
  if (type === 'gzip') {
    const gzip = promisify<Uint8Array, ZlibOptions, Buffer>(zlib.gzip)
    return (bytes) => gzip(bytes, level === undefined ? { chunkSize: CHUNK_SIZE } : { chunkSize: CHUNK_SIZE, level })
  }
  const { zstdCompress, constants } = zlib as unknown as Zstd
  const name = constants.ZSTD_c_compressionLevel ?? 0
  const options = { chunkSize: CHUNK_SIZE, ...(level !== undefined && { params: { [name]: level } }) }
  return (bytes) =>
    new Promise((resolve, reject) => {
      if (zstdCompress === undefined) throw new Error('This version of Node has no zstd')
      zstdCompress(bytes, options, (error, result) => {
        if (error === null || error === undefined) resolve(result)
        else reject(error)
      })
    })
}
