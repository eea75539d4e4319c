/** Opening any source of bytes as a reader of Buffers: a path, a URL, or anything that gives byte chunks. */
import { fileURLToPath } from 'node:url'
import { types } from 'node:util'
import { received, typeError } from '../errors.js'
import { chunkCure, sourceCure, urlCure } from './byte-source-cures.js'
import type { ByteCount } from './input-meter.js'
import { PathReader, type FileAccess } from './path.js'
import { isFiles, listPaths, type Files } from './path-list.js'
import { DONE, isIterable, openSource, type Reader, type Source } from './source.js'
import { UrlReader, withoutUser } from './url-reader.js'
import { isServerUrl } from './urls.js'

/**
 * What bytes can be read from: a file, what a server has at a URL, or the files of `files()`. Or any source of byte
 * chunks, Node and web streams among them.
 */
export type ByteSource = string | URL | Source<Uint8Array | ArrayBuffer> | Files

/** A checked byte source, not yet opened. */
export interface Bytes {
  /** The path of the file, or the URL without a password, where the source is one. */
  readonly path: string | undefined
  /**
   * Opens the source. A file or a server is touched at the first `next()`, not before. The reader's `close` may be called at any
   * time and again. It reaches the source at most once, and never after the source ended or threw. A block is valid
   * until the next `next()`.
   *
   * @param count Where the bytes that are read are counted.
   * @param access How a file is read that a later run may have to read again.
   */
  open(count?: ByteCount, access?: FileAccess): ByteReader
}

/** Sources that become known when the first of them is reached. */
export interface ByteList {
  readonly globs: readonly string[]
  list(): Promise<readonly Bytes[]>
}

/** What is read at one place of an array of sources. */
export type ByteInput = Bytes | ByteList

export function isByteList(input: ByteInput): input is ByteList {
  return 'list' in input
}

/** As `console.log()` shows it. */
export function inputName(input: ByteInput): string {
  return isByteList(input) ? input.globs.join(' ') : (input.path ?? 'bytes')
}

export interface ByteReader extends Reader<Buffer> {
  /** Its blocks from an offset on, if they can be read again. That is known once the first block has been read. */
  readFrom?(offset: number): AsyncIterable<Buffer> | undefined
}

/**
 * Checks a byte source without opening it: one source, or an array of sources that are read one after the other. An
 * array of byte chunks is one source. `action` is what the caller was about to do.
 */
export function sourcesOf(action: string, given: unknown): ByteInput[] {
  if (!Array.isArray(given)) return [inputOf(action, given)]
  const elements: readonly unknown[] = given
  if (!elements.some(isChunk)) {
    return Array.from(elements, (element) => inputOf(action, element))
  }
  const at = elements.findIndex((element) => !isChunk(element))
  if (at < 0) return [bytesOf(action, elements)]
  throw typeError(
    'ERR_INVALID_SOURCE',
    `Cannot ${action} as an array must contain only byte chunks or only sources: ` +
      `received byte chunks and ${received(elements[at])} (for bytes in memory among sources: [bytes])`,
  )
}

function inputOf(action: string, source: unknown): ByteInput {
  if (!isFiles(source)) return bytesOf(action, source)
  return { globs: source.globs, list: async () => (await listPaths(source)).map(fileBytes) }
}

function fileBytes(path: string): Bytes {
  return { path, open: (count, access) => new PathReader(path, count, access) }
}

function bytesOf(action: string, source: unknown): Bytes {
  const url = serverUrlOf(action, source)
  if (url !== undefined) return { path: withoutUser(url), open: (count) => new UrlReader(url, count) }
  const path = pathOf(action, source)
  if (path !== undefined) return fileBytes(path)
  if (isIterable(source) && !ArrayBuffer.isView(source)) {
    return { path, open: (count) => chunkReader(action, source, count) }
  }
  throw invalidSource(action, source, sourceCure(source))
}

function serverUrlOf(action: string, source: unknown): string | undefined {
  if (typeof source !== 'string' && !(source instanceof URL)) return undefined
  const text = String(source)
  if (!isServerUrl(text)) return undefined
  if (!URL.canParse(text)) throw invalidSource(action, text, '')
  return text
}

function pathOf(action: string, source: unknown): string | undefined {
  if (typeof source === 'string' && source !== '' && !URL_START.test(source)) return source
  if (source === '' || (typeof source !== 'string' && !(source instanceof URL))) return undefined
  const text = String(source)
  if (!text.toLowerCase().startsWith('file:')) throw invalidSource(action, text, urlCure(text))
  try {
    return fileURLToPath(text)
  } catch (cause) {
    throw invalidSource(action, text, '', cause)
  }
}

/** No path that anybody means to be one begins like this. A drive of Windows has one letter. */
const URL_START = /^[a-z][a-z\d+.-]+:\/\//i

function isChunk(value: unknown): value is Uint8Array | ArrayBufferLike {
  return types.isUint8Array(value) || types.isAnyArrayBuffer(value)
}

function invalidSource(action: string, source: unknown, hint: string, cause?: unknown): TypeError {
  const expected = 'a path, a URL of a file or a server, a stream of bytes or an iterable of byte chunks'
  const text = `Cannot ${action} as its source must be ${expected}: received ${received(source)}${hint}`
  const error = typeError('ERR_INVALID_SOURCE', text)
  if (cause !== undefined) error.cause = cause
  return error
}

function chunkReader(action: string, chunks: Source<unknown>, count?: ByteCount): Reader<Buffer> {
  const source = openSource(chunks)
  let open = true
  return {
    close: async () => {
      if (!open) return
      open = false
      await source.close()
    },
    next: async () => {
      if (!open) return DONE
      let result: IteratorResult<unknown> = DONE
      try {
        result = await source.next()
      } finally {
        // It has ended, or has thrown.
        if (result.done) open = false
      }
      if (result.done) {
        if (count !== undefined) count.hasEnded = true
        return DONE
      }
      const { value } = result
      if (isChunk(value)) {
        if (count !== undefined) count.read += value.byteLength
        // Web streams of Node 20 may give an ArrayBuffer.
        return { done: false, value: types.isUint8Array(value) ? asBuffer(value) : Buffer.from(value) }
      }
      throw typeError(
        'ERR_INVALID_SOURCE',
        `Cannot ${action} as its source must give bytes (Uint8Array or Buffer): received ${received(value)}` +
          chunkCure(chunks, value),
      )
    },
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
