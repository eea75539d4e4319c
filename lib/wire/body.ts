/** The body of a message: the values of a chunk or a part, compressed or not. See `packed body` in `format.ts`. */
import { promisify } from 'node:util'
import { constants, deflateRaw, inflateRawSync } from 'node:zlib'
import { attempt } from '../errors.js'
import type { ByteReader } from './byte-reader.js'
import type { ByteWriter } from './byte-writer.js'
import { MAX_BODY_LENGTH } from './format.js'

const NONE = 0
const DEFLATE = 1

export interface Body {
  readonly isDeflated: boolean
  /** Of the body itself, in bytes. */
  readonly length: number
  readonly bytes: Uint8Array
  /** How many bytes before them in their memory are free, for the one message that the body is for. Default: none. */
  readonly room?: number | undefined
}

/** The free bytes before a body: most messages need fewer. */
export const BODY_ROOM = 1024

export function plainBody(bytes: Uint8Array, room?: number): Body {
  return { isDeflated: false, length: bytes.length, bytes, room }
}

const deflate = promisify<Uint8Array, { level: number }, Buffer>(deflateRaw)

/** Compresses a body, on another thread. Where that does not make it shorter, it stays as it is. */
export async function deflatedBody(bytes: Uint8Array): Promise<Body> {
  const shorter = await deflate(bytes, { level: constants.Z_BEST_SPEED })
  return shorter.length < bytes.length ? { isDeflated: true, length: bytes.length, bytes: shorter } : plainBody(bytes)
}

/** Ends a message by its body. If that has room, the rest is written before it, and the body is not copied. */
export function withBody(out: ByteWriter, { isDeflated, length, bytes, room = 0 }: Body): Uint8Array {
  out.u8(isDeflated ? DEFLATE : NONE)
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
  const isDeflated = input.choice('compression', DEFLATE) === DEFLATE
  const length = input.varint()
  if (length > MAX_BODY_LENGTH) throw input.fault(`its body has more than ${MAX_BODY_LENGTH} bytes`)
  input.pad(8)
  const bytes = input.raw(input.left)
  if (!isDeflated && bytes.length !== length) throw input.fault('its body has another length')
  return { isDeflated, length, bytes }
}

/**
 * The bytes of a body. Never makes more of them than its length says.
 *
 * @returns Undefined where the bytes are not what its length says.
 */
export function bytesOfBody({ isDeflated, length, bytes }: Body): Uint8Array | undefined {
  if (!isDeflated) return bytes
  // A limit of zero is none.
  const options = { maxOutputLength: Math.max(1, length), info: true as const }
  const unpacked = attempt(() => inflateRawSync(bytes, options) as unknown as Unpacked)
  return unpacked?.buffer.length === length && unpacked.engine.bytesWritten === bytes.length
    ? unpacked.buffer
    : undefined
}

/** What zlib gives with the option `info`. The types of Node do not know it. */
interface Unpacked {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}
