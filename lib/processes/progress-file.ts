/**
 * How far a worker process is, as its pool can read it at any time, also after the process was killed. Processes have no memory in common,
 * so the process writes its cells into a file. A write is done when it returns: nothing is lost with the process, and nothing has to wait
 * for the pool. It costs about 3 µs.
 *
 * The file has no name: it is deleted when it was opened, and both processes have a handle of it. It is in `/dev/shm` or the folder of
 * temporary files.
 */
import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeError } from '../codec/error-codec/decode.js'
import { encodeError } from '../codec/error-codec/encode.js'
import type { EncodedError } from '../codec/error-codec/types.js'
import { encodeFrame, FrameReader } from '../codec/frame.js'
import { attempt } from '../errors.js'

/** The cells are in the first page, and an uncaught error behind it. */
const PAGE_BYTES = 4_096
/** The file is read again while two readings differ, at most this often. */
const MAX_READINGS = 16

let made = 0

/** The pool's side. */
export class ProgressFile {
  readonly fd: number
  #isOpen = true
  #first = new Uint8Array()
  #second = new Uint8Array()

  /** Throws if there is no folder for it. */
  constructor() {
    this.fd = openNameless()
  }

  /** Copies the cells that the process has written last. */
  read(cells: Int32Array): void {
    if (!this.#isOpen) return
    if (this.#first.length !== cells.byteLength) {
      this.#first = new Uint8Array(cells.byteLength)
      this.#second = new Uint8Array(cells.byteLength)
    }
    // A reading may fall between two halves of a write.
    this.#readInto(this.#first)
    for (let readings = 1; readings < MAX_READINGS; readings++) {
      this.#readInto(this.#second)
      if (Buffer.compare(this.#first, this.#second) === 0) break
      this.#first.set(this.#second)
    }
    new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength).set(this.#first)
  }

  #readInto(bytes: Uint8Array): void {
    readSync(this.fd, bytes, 0, bytes.length, 0)
  }

  /** The error that nobody has caught in the process, if there was one. */
  uncaught(): { readonly error: unknown } | undefined {
    const bytes = Buffer.alloc(fstatSync(this.fd).size - PAGE_BYTES)
    if (bytes.length === 0) return undefined
    readSync(this.fd, bytes, 0, bytes.length, PAGE_BYTES)
    let found: { readonly error: unknown } | undefined
    const reader = new FrameReader((message) => {
      found = { error: decodeError(message as EncodedError) }
    })
    // A process that was killed meanwhile may have left half of it.
    attempt(() => {
      reader.push(bytes)
    })
    return found
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    closeSync(this.fd)
  }
}

/** The side of a worker process. */
export class ProgressWriter {
  readonly #fd: number
  readonly #bytes: Uint8Array

  /** @param cells What `write()` writes. */
  constructor(fd: number, cells: Int32Array) {
    this.#fd = fd
    this.#bytes = new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength)
  }

  readonly write = (): void => {
    writeSync(this.#fd, this.#bytes, 0, this.#bytes.length, 0)
  }
}

/** Notes the error that ends this process. It is there when this returns, however the process ends. */
export function noteUncaught(fd: number, error: unknown): void {
  const frame = encodeFrame(encodeError(error))
  writeSync(fd, frame, 0, frame.length, PAGE_BYTES)
}

function openAt(path: string): number {
  const fd = openSync(path, 'wx+', 0o600)
  try {
    unlinkSync(path)
    // Later writes there need no room, which may be used up by then.
    writeSync(fd, Buffer.alloc(PAGE_BYTES))
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function openNameless(): number {
  // The first is in memory, and is there where containers cannot write to their disks.
  const folders = process.platform === 'linux' ? ['/dev/shm', tmpdir()] : [tmpdir()]
  let failure: unknown
  for (const folder of folders) {
    const path = join(folder, `millrace-${process.pid}-${Date.now().toString(36)}-${++made}`)
    try {
      return openAt(path)
    } catch (error) {
      failure = error
    }
  }
  const { message } = failure as Error
  throw new Error(`a worker process needs a small file in ${folders.join(' or ')}, which cannot be made: ${message}`, {
    cause: failure,
  })
}
