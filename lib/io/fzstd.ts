/** Decodes zstd by the package fzstd, where Node cannot. It runs on this thread, and checks no checksums. */
import { createRequire } from 'node:module'
import { Duplex } from 'node:stream'
import type { Compression, Decoder } from './compression.js'
import { ZstdFrames } from './zstd-frames.js'

/** The part of the package that is used. */
interface Fzstd {
  readonly Decompress: new (see: (text: Uint8Array) => void) => { push(bytes: Uint8Array, isLast?: boolean): void }
}

/** Its code for data that end too early. */
const UNEXPECTED_END = 5

/**
 * How many bytes it is given at a time. Four bytes can stand for 128 KiB of text, and it gives all text of its bytes at
 * once.
 */
const PIECE_SIZE = 256

type Done = (error?: Error | null) => void

/** Undefined before the first call; null where the package is not installed. */
let loaded: Compression | null | undefined

/** Undefined where the package is not installed. */
export function fzstd(): Compression | undefined {
  loaded ??= load()
  return loaded ?? undefined
}

function load(): Compression | null {
  let Decompress: Fzstd['Decompress']
  try {
    Decompress = (createRequire(import.meta.url)('fzstd') as Fzstd).Decompress
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return null
    throw error
  }
  return {
    name: 'zstd',
    // It takes all frames for one.
    severalMembers: false,
    createDecoder: () => new FzstdDecoder(Decompress),
  }
}

class FzstdDecoder extends Duplex implements Decoder {
  bytesWritten = 0
  readonly #decompress: InstanceType<Fzstd['Decompress']>
  readonly #frames = new ZstdFrames()
  /** Text that is given piece by piece: its reader counts the pieces. */
  readonly #texts: Buffer[] = []
  /** Goes on when more text is asked for. */
  #goOn: (() => void) | undefined

  constructor(Decompress: Fzstd['Decompress']) {
    super({ highWaterMark: 1 })
    this.#decompress = new Decompress((text) => {
      if (text.length > 0) this.#texts.push(Buffer.from(text.buffer, text.byteOffset, text.byteLength))
    })
  }

  override _write(bytes: Buffer, _encoding: unknown, done: Done): void {
    this.#decode(bytes, done)
  }

  override _final(done: Done): void {
    const end = (): void => {
      this.push(null)
      done()
    }
    if (this.#take(new Uint8Array(0), true, done)) this.#give(end)
  }

  override _read(): void {
    const goOn = this.#goOn
    this.#goOn = undefined
    goOn?.()
  }

  #decode(bytes: Buffer, done: Done): void {
    for (let at = 0; at < bytes.length; at += PIECE_SIZE) {
      // A copy, since it keeps bytes whose block is not complete.
      const piece = Uint8Array.prototype.slice.call(bytes, at, at + PIECE_SIZE)
      if (!this.#take(piece, false, done)) return
      this.bytesWritten += piece.length
      if (this.#texts.length === 0) continue
      this.#give(() => {
        this.#decode(bytes.subarray(at + PIECE_SIZE), done)
      })
      return
    }
    done()
  }

  /** Gives the text that there is, a piece each time that it is asked for one, and then goes on. */
  #give(goOn: () => void): void {
    const text = this.#texts.shift()
    if (text === undefined) goOn()
    else {
      this.#goOn = () => {
        this.#give(goOn)
      }
      this.push(text)
    }
  }

  /** Decodes bytes. @returns Whether that went well. If not, `done` has been called. */
  #take(bytes: Uint8Array, isLast: boolean, done: Done): boolean {
    try {
      this.#frames.check(bytes)
      this.#decompress.push(bytes, isLast)
      return true
    } catch (error) {
      done(decoderError(error as Error & { code?: unknown }))
      return false
    }
  }
}

/** The same error with a code as those of Node's decoders have. */
function decoderError(error: Error & { code?: unknown }): Error {
  const code = error.code === UNEXPECTED_END ? 'Z_BUF_ERROR' : 'ZSTD_error_corruption_detected'
  return Object.assign(new Error(error.message, { cause: error }), { code })
}
