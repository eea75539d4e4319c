/**
 * Messages between two processes on a pipe. A frame is two numbers of 32 bits and a value as `v8.Serializer` writes it, which is
 * structured clone. The first number is the length of the value in bytes. The second is its complement: what is not a frame shows at once.
 */
import type { Deserializer, Serializer } from 'node:v8'

const HEADER_BYTES = 8
const NO_HEADER = new Uint8Array(HEADER_BYTES)
const NOTHING = Buffer.alloc(0)

interface Classes {
  readonly Serializer: new () => Serializer
  readonly Deserializer: new (bytes: Uint8Array) => Deserializer
}

/** Loaded when it is needed: loading it takes half a millisecond, and most programs have no worker processes. */
function classes(): Classes {
  return process.getBuiltinModule('node:v8')
}

/** A message as a frame. Throws where a part of it cannot be cloned, or is shared memory. */
export function encodeFrame(message: unknown): Buffer {
  const { Serializer } = classes()
  const serializer = new Serializer()
  serializer.writeRawBytes(NO_HEADER)
  serializer.writeHeader()
  serializer.writeValue(message)
  const frame = serializer.releaseBuffer()
  const length = frame.length - HEADER_BYTES
  frame.writeUInt32LE(length, 0)
  frame.writeUInt32LE(~length >>> 0, 4)
  return frame
}

/** The message of a frame. */
export function decodeFrame(frame: Buffer): unknown {
  return decode(frame.subarray(HEADER_BYTES))
}

/** The message of a frame without its first two numbers. */
function decode(bytes: Uint8Array): unknown {
  const { Deserializer } = classes()
  const deserializer = new Deserializer(bytes)
  deserializer.readHeader()
  return deserializer.readValue() as unknown
}

/** What follows is not a frame. */
export class FrameError extends Error {}

/** The value of a frame cannot be read. */
export class UnreadableFrameError extends Error {}

/** Finds the messages in the bytes of a pipe. */
export class FrameReader {
  readonly #receive: (message: unknown) => void
  #parts: Buffer[] = []
  #size = 0
  /** The bytes that the next step needs: those of a header, or of a whole frame. */
  #needed = HEADER_BYTES

  constructor(receive: (message: unknown) => void) {
    this.#receive = receive
  }

  /**
   * Takes the next bytes, and gives all messages that are complete.
   *
   * @throws FrameError | UnreadableFrameError, and what `receive` throws.
   */
  push(bytes: Buffer): void {
    this.#parts.push(bytes)
    this.#size += bytes.length
    if (this.#size < this.#needed) return
    let rest = this.#parts.length === 1 ? bytes : Buffer.concat(this.#parts, this.#size)
    this.#parts = []
    this.#size = 0
    for (;;) {
      this.#needed = rest.length < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + lengthIn(rest)
      if (rest.length < this.#needed) break
      const value = rest.subarray(HEADER_BYTES, this.#needed)
      rest = rest.subarray(this.#needed)
      this.#receive(read(value))
    }
    if (rest.length > 0) this.#parts.push(rest)
    this.#size = rest.length
  }

  /** Gives no other messages. */
  clear(): void {
    this.#parts = [NOTHING]
    this.#size = -Infinity
  }
}

function read(value: Buffer): unknown {
  try {
    return decode(value)
  } catch (cause) {
    throw new UnreadableFrameError('A message of a worker process cannot be read', { cause })
  }
}

function lengthIn(header: Buffer): number {
  const length = header.readUInt32LE(0)
  if (header.readUInt32LE(4) !== ~length >>> 0)
    throw new FrameError('The pipe of a worker process holds something else than its messages')
  return length
}
