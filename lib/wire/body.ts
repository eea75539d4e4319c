/** The body of a message: the values of a chunk or a part, compressed or not. See `packed body` in `format.ts`. */
import { promisify } from 'node:util'
import { constants, deflateRaw, inflateRaw, inflateRawSync, type ZlibOptions } from 'node:zlib'
import { attempt } from '../errors.js'
import type { ByteReader } from './byte-reader.js'
import type { ByteWriter } from './byte-writer.js'
import { MAX_BODY_LENGTH } from './format.js'

/** How a body is compressed. `WELCOME`: not at all, but bodies of the answer may be. */
const NONE = 0
const DEFLATE = 1
const WELCOME = 2

/** Shorter bodies are not compressed, in bytes. */
export const MIN_DEFLATED: number = 4 * 1024
/** Bodies that are shorter are unpacked at once: to ask another thread would take longer. In bytes. */
const MIN_APART = 16 * 1024
/** The memory that zlib makes at once. In bytes. */
const MAX_PIECE = 256 * 1024

export interface Body {
  readonly isDeflated: boolean
  /** Of the body itself, in bytes. */
  readonly length: number
  readonly bytes: Uint8Array
  /** How many bytes before them in their memory are free, for the one message that the body is for. Default: none. */
  readonly room?: number | undefined
  /** Whether bodies of the answer may be compressed, if this one is not. */
  readonly isDeflateWelcome?: true
}

/** The free bytes before a body: most messages need fewer. */
export const BODY_ROOM = 1024

export function plainBody(bytes: Uint8Array, room?: number): Body {
  return { isDeflated: false, length: bytes.length, bytes, room }
}

const deflate = promisify<Uint8Array, ZlibOptions, Buffer>(deflateRaw)
const inflate = promisify<Uint8Array, ZlibOptions, Unpacked>(inflateRaw as never)

/** Compresses a body, on another thread. Where that does not make it shorter, it stays as it is. */
export async function deflatedBody(bytes: Uint8Array): Promise<Body> {
  const shorter = await deflate(bytes, { level: constants.Z_BEST_SPEED, chunkSize: pieceOf(bytes.length) })
  return shorter.length < bytes.length ? { isDeflated: true, length: bytes.length, bytes: shorter } : plainBody(bytes)
}

/** Whether bodies of the answer may be compressed. */
export function takesDeflated({ isDeflated, isDeflateWelcome }: Body): boolean {
  return isDeflated || isDeflateWelcome === true
}

/** Ends a message by its body. If that has room, the rest is written before it, and the body is not copied. */
export function withBody(out: ByteWriter, { isDeflated, isDeflateWelcome, length, bytes, room = 0 }: Body): Uint8Array {
  out.u8(isDeflated ? DEFLATE : isDeflateWelcome === true ? WELCOME : NONE)
  out.varint(length)
  out.pad(8)
  const before = out.length
  if (before > room) {
    out.raw(bytes)
    return out.written
  }
  const message = new Uint8Array(bytes.buffer, bytes.byteOffset - before, before + bytes.length)
  message.set(out.written)
  return message
}

/** Reads the rest of a message. The body is a view of it. */
export function readBody(input: ByteReader): Body {
  const compression = input.choice('compression', WELCOME)
  const isDeflated = compression === DEFLATE
  const length = input.varint()
  if (length > MAX_BODY_LENGTH) throw input.fault(`its body has more than ${MAX_BODY_LENGTH} bytes`)
  input.pad(8)
  const bytes = input.raw(input.left)
  if (!isDeflated && bytes.length !== length) throw input.fault('its body has another length')
  return { isDeflated, length, bytes, ...(compression === WELCOME && { isDeflateWelcome: true }) }
}

/** The same as `bytesOfBody()`. A long body is unpacked on another thread. */
export function unpackBody(body: Body): Uint8Array | undefined | Promise<Uint8Array | undefined> {
  return body.isDeflated && body.length >= MIN_APART ? unpackApart(body) : bytesOfBody(body)
}

async function unpackApart(body: Body): Promise<Uint8Array | undefined> {
  try {
    return wholeOf(await inflate(body.bytes, optionsOf(body)), body)
  } catch {
    // It is not what its length says, or not compressed in this way.
    return undefined
  }
}

/**
 * The bytes of a body. Never makes more of them than its length says.
 *
 * @returns Undefined where the bytes are not what its length says.
 */
export function bytesOfBody(body: Body): Uint8Array | undefined {
  if (!body.isDeflated) return body.bytes
  return wholeOf(
    attempt(() => inflateRawSync(body.bytes, optionsOf(body)) as unknown as Unpacked),
    body,
  )
}

function optionsOf({ length }: Body): ZlibOptions {
  // A limit of zero is none.
  return { maxOutputLength: Math.max(1, length), chunkSize: pieceOf(length), info: true }
}

/** With room for all, zlib is done in one step. */
function pieceOf(length: number): number {
  return Math.max(constants.Z_MIN_CHUNK, Math.min(length + 1, MAX_PIECE))
}

function wholeOf(unpacked: Unpacked | undefined, { length, bytes }: Body): Uint8Array | undefined {
  const isWhole = unpacked?.buffer.length === length && unpacked.engine.bytesWritten === bytes.length
  return isWhole ? unpacked.buffer : undefined
}

/** What zlib gives with the option `info`. The types of Node do not know it. */
interface Unpacked {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}
