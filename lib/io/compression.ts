/**
 * The compressed formats that can be read: their decoders, and what stands around the data of a member. The reading
 * itself is in decompress.ts.
 */
import { stat } from 'node:fs'
import type { Duplex } from 'node:stream'
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import type { ByteQueue } from './byte-queue.js'
import type { Damage, MemberText } from './damage.js'
import { readGzipHeader, readGzipTrailer } from './gzip-frame.js'
import { isReadableCompressed } from './suffixes.js'

/** A decoder of Node. `bytesWritten` is how many bytes of its input it has consumed. */
export interface Decoder extends Duplex {
  readonly bytesWritten: number
}

/** Reads and checks what stands before and behind the data of a member. Each gives what is wrong with it. */
interface MemberFrame {
  readHeader(input: ByteQueue): Promise<Damage | undefined>
  readTrailer(input: ByteQueue, text: MemberText): Promise<Damage | undefined>
}

export interface Compression {
  readonly name: 'gzip' | 'zstd' | 'brotli'
  /** Whether members may follow one another. */
  readonly severalMembers: boolean
  /** The rest of a member, if it is not read by the decoder. Then zeros may stand between and behind members. */
  readonly frame?: MemberFrame
  createDecoder(chunkSize: number): Decoder
  /** Whether damage is only noticed: another decoder is to find out what it is, and what text comes before it. */
  readonly isRough?: true
  /** Writes something that a decoder which has come to the end of its data refuses with this code. */
  readonly endProbe?: { readonly bytes: Buffer; readonly code: string }
}

// With no room beyond one block, and each write awaited, a decoder holds nothing that would be lost when it fails.
const HIGH_WATER_MARK = 1

export const gzip: Compression = {
  name: 'gzip',
  severalMembers: true,
  frame: { readHeader: readGzipHeader, readTrailer: readGzipTrailer },
  createDecoder: (chunkSize) => zlib.createInflateRaw(optionsOf(chunkSize)),
}

/** All members at once, and their checksums. It ends at zeros, though members may follow. */
export const wholeGzip: Compression = {
  name: 'gzip',
  severalMembers: false,
  isRough: true,
  createDecoder: (chunkSize) => zlib.createGunzip(optionsOf(chunkSize)),
}

export const brotli: Compression = {
  name: 'brotli',
  severalMembers: false,
  createDecoder: (chunkSize) => zlib.createBrotliDecompress(optionsOf(chunkSize)),
}

const MAJOR_VERSION = Number(process.versions.node.split('.', 1)[0])

/** Undefined where Node cannot decode it. It is asked when it is needed: to load zlib takes milliseconds. */
export function zstd(): Compression | undefined {
  // From Node 22.15 on. Its types are those of Node 20.
  const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: zlib.ZlibOptions) => Decoder }
  return (
    createZstdDecompress && {
      name: 'zstd',
      severalMembers: true,
      createDecoder: (chunkSize) => createZstdDecompress(optionsOf(chunkSize)),
      // Before version 24, Node takes a frame that is cut short for a whole one. Zeros do not begin a frame, but may be
      // data of one. Later versions need no probe, and from 26 on they leave out what no frame begins with.
      ...(MAJOR_VERSION < 24 && { endProbe: { bytes: Buffer.alloc(4), code: 'ZSTD_error_prefix_unknown' } }),
    }
  )
}

function optionsOf(chunkSize: number): zlib.ZlibOptions & { highWaterMark: number } {
  return { chunkSize, highWaterMark: HIGH_WATER_MARK }
}

const statPath = promisify(stat)

/** Whether the name says that it is compressed, and it is a file. To open anything else has effects. Never rejects. */
export async function isCompressedFile(path: string | undefined): Promise<boolean> {
  return path !== undefined && isReadableCompressed(path) && isFile(path)
}

/** Never rejects. */
export async function isFile(path: string | undefined): Promise<boolean> {
  if (path === undefined) return false
  try {
    return (await statPath(path)).isFile()
  } catch {
    return false
  }
}
