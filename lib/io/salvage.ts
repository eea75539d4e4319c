/**
 * Saves the text before damaged data. A decoder of Node that fails drops up to a block of text. So the data are decoded
 * once more, and given to the decoder byte by byte where it failed.
 */
import type { Compression, Decoder } from './compression.js'

/** Of the first round, in bytes. Each piece, and then each byte of one piece, is one trip to the thread pool. */
const PIECE_SIZE = 2048

/** Small, as only the text behind `skip` is of use. */
const CHUNK_SIZE = 64 * 1024

export type Blocks = Iterable<Buffer> | AsyncIterable<Buffer>

interface Salvaged {
  readonly text: Buffer
  /** How many bytes of the data the decoder took before it failed. */
  readonly consumed: number
}

/**
 * @param data Gives the compressed data of the member that failed, from its start. It is called twice.
 * @param whole How many bytes of them are known to be good.
 * @param skip How much of the text is known already, in bytes.
 */
export async function salvage(
  compression: Compression,
  data: () => Blocks,
  whole: number,
  skip: number,
): Promise<Salvaged> {
  const nearly = await decodeUntilError(compression.createDecoder(CHUNK_SIZE), data(), whole, PIECE_SIZE, () => {})
  const pieces: Buffer[] = []
  let length = 0
  const decoder = compression.createDecoder(CHUNK_SIZE)
  const consumed = await decodeUntilError(decoder, data(), nearly, 1, (text) => {
    const known = Math.max(0, Math.min(text.length, skip - length))
    if (known < text.length) pieces.push(text.subarray(known))
    length += text.length
  })
  return { text: Buffer.concat(pieces), consumed }
}

/** Gives the first `whole` bytes as they come, and the others in pieces. @returns How many bytes the decoder took. */
async function decodeUntilError(
  decoder: Decoder,
  data: Blocks,
  whole: number,
  size: number,
  see: (text: Buffer) => void,
): Promise<number> {
  decoder.on('data', see)
  decoder.on('error', () => {})
  let offset = 0
  try {
    for await (const block of data) {
      for (let start = 0; start < block.length;) {
        const length = offset < whole ? whole - offset : size
        const piece = block.subarray(start, start + length)
        if (!(await written(decoder, piece))) return offset
        start += piece.length
        offset += piece.length
      }
    }
    return offset
  } finally {
    decoder.destroy()
  }
}

/** Whether the decoder took all of the block. If not, it failed, was destroyed or has come to the end of its data. */
export function written(decoder: Decoder, block: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const before = decoder.bytesWritten
    const closed = (): void => {
      resolve(false)
    }
    // A decoder that fails does not answer the write.
    decoder.once('close', closed)
    decoder.write(block, (error) => {
      decoder.off('close', closed)
      resolve(!error && decoder.bytesWritten - before === block.length)
    })
  })
}
