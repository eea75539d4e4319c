/**
 * The compressed formats that can be read: how a member of each is framed, and who decodes what is inside. The reading
 * itself is in decompress.ts.
 */
import type { Duplex } from 'node:stream'
import * as zlib from 'node:zlib'
import type { ByteQueue } from './byte-queue.js'
import type { Damage, MemberText } from './damage.js'
import { readGzipHeader, readGzipTrailer } from './gzip-frame.js'

/** A decoder of Node. `bytesWritten` is how many bytes of its input it has consumed. */
export interface Decoder extends Duplex {
  readonly bytesWritten: number
}

export interface Compression {
  readonly name: string
  /** Whether members may follow one another. */
  readonly severalMembers: boolean
  /** Whether zeros may stand between and behind members. */
  readonly padding: boolean
  /** Whether members carry a checksum that is compared here. */
  readonly checksum: boolean
  /** Reads what stands before the data that the decoder takes; tells what is wrong with it. */
  readHeader(input: ByteQueue): Promise<Damage | undefined>
  createDecoder(chunkSize: number): Decoder
  /** Reads what stands behind them. */
  readTrailer(input: ByteQueue, text: MemberText): Promise<Damage | undefined>
  /** Writes something that a decoder which has come to the end of its data refuses with this code. */
  readonly endProbe?: { readonly bytes: Buffer; readonly code: string }
}

const nothing = (): Promise<undefined> => Promise.resolve(undefined)

// With no room beyond one block, and each write awaited, a decoder holds nothing that would be lost when it fails.
const HIGH_WATER_MARK = 1

export const gzip: Compression = {
  name: 'gzip',
  severalMembers: true,
  padding: true,
  checksum: true,
  readHeader: readGzipHeader,
  createDecoder: (chunkSize) => zlib.createInflateRaw(optionsOf(chunkSize)),
  readTrailer: readGzipTrailer,
}

export const brotli: Compression = {
  name: 'brotli',
  severalMembers: false,
  padding: false,
  checksum: false,
  readHeader: nothing,
  createDecoder: (chunkSize) => zlib.createBrotliDecompress(optionsOf(chunkSize)),
  readTrailer: nothing,
}

/** From Node 22.15 on. Its types are those of Node 20. */
const { createZstdDecompress } = zlib as {
  createZstdDecompress?: (options: zlib.ZlibOptions) => Decoder
}

/** Undefined where Node cannot decode it. */
export const zstd: Compression | undefined = createZstdDecompress && {
  name: 'zstd',
  severalMembers: true,
  padding: false,
  checksum: false,
  readHeader: nothing,
  createDecoder: (chunkSize) => createZstdDecompress(optionsOf(chunkSize)),
  readTrailer: nothing,
  // Node 22 takes a frame that is cut short for a whole one. Zeros are no frame, but may be data of one.
  endProbe: { bytes: Buffer.alloc(4), code: 'ZSTD_error_prefix_unknown' },
}

function optionsOf(chunkSize: number): zlib.ZlibOptions & { highWaterMark: number } {
  return { chunkSize, highWaterMark: HIGH_WATER_MARK }
}
