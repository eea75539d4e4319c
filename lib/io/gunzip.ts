/** Decompressing gzip on the way: a reader of compressed blocks in, a reader of plain blocks out. */
import type { TransformOptions } from 'node:stream'
import { createGunzip, type Gunzip, type ZlibOptions } from 'node:zlib'
import { BLOCK_SIZE } from './file.js'
import { openSource, type Reader } from './source.js'

/** The two bytes every gzip member begins with. */
export const GZIP_MARK: Buffer = Buffer.from([0x1f, 0x8b])

/**
 * Decompresses all members of a gzip input. Broken input is an error after what was decompressed before: all of it where
 * the input is cut short or its source fails, all but the last block (which is not to be trusted) where it is corrupt.
 */
export function gunzip(input: Reader<Buffer>): Reader<Buffer> {
  // A stream that fails drops what it holds. With no room beyond one block, and each write awaited, it holds nothing then.
  const options: ZlibOptions & TransformOptions = { chunkSize: BLOCK_SIZE, highWaterMark: 1 }
  const stream = createGunzip(options)
  // The stream may fail when nobody reads from it any more.
  stream.on('error', () => {})
  const output = openSource<Buffer>(stream)
  let inputError: { error: unknown } | undefined
  let feeding = false

  async function feed(): Promise<void> {
    try {
      for (let result = await input.next(); !result.done; result = await input.next()) {
        if (!(await written(stream, result.value))) return
      }
      stream.end()
    } catch (error) {
      inputError = { error }
      stream.destroy()
    }
  }

  return {
    next: async () => {
      if (!feeding) void feed()
      feeding = true
      try {
        return await output.next()
      } catch (error) {
        throw inputError === undefined ? error : inputError.error
      }
    },
    close: () => {
      stream.destroy()
      return input.close()
    },
  }
}

/** Whether the stream took the block; false once it has failed or was destroyed. */
function written(stream: Gunzip, block: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    stream.write(block, (error) => {
      resolve(!error)
    })
  })
}
