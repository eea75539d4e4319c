/** Ends of the error texts of `lines()`: which source to pass instead. */
import { types } from 'node:util'
import { addToMessage, isErrorObject, received } from '../errors.js'
import { isThenable } from '../thenable.js'
import { isDestroyable, isIterable } from './source.js'

export function sourceCure(source: unknown): string {
  const cure = cureFor(source)
  return cure === undefined ? '' : ` (${cure})`
}

function cureFor(source: unknown): string | undefined {
  if (source === undefined || source === null || source === '') return 'nothing was given: check the value of the path'
  if (source === 0) return 'for the standard input: process.stdin'
  if (typeof source === 'number') return "for a file descriptor: createReadStream('', { fd })"
  if (typeof source === 'function') {
    return types.isGeneratorFunction(source) ? 'a generator: call it' : 'a function: call it, if it returns the source'
  }
  if (typeof source !== 'object') return undefined
  if (types.isUint8Array(source)) return 'for bytes in memory: [bytes]'
  if (types.isAnyArrayBuffer(source)) return 'for bytes in memory: [buffer]'
  if (ArrayBuffer.isView(source)) return `for bytes in memory: [${VIEW}]`
  return objectCure(source)
}

const VIEW = 'new Uint8Array(view.buffer, view.byteOffset, view.byteLength)'

function objectCure(source: object): string | undefined {
  const { body, createReadStream, stdout, readable, stream } = source as Readonly<Record<string, unknown>>
  if (isThenable(source)) return 'await the promise first'
  if (typeof createReadStream === 'function') return 'for an open file: file.createReadStream()'
  if (isIterable(body)) return 'for the text of a response: response.body'
  if (isIterable(stdout)) return 'for the output of a child process: child.stdout'
  // A TransformStream, such as a DecompressionStream.
  if (isIterable(readable)) return 'for its output: .readable'
  return typeof stream === 'function' ? 'for the text of a Blob: blob.stream()' : undefined
}

export function urlCure(url: string): string {
  return /^(data|blob):/i.test(url)
    ? ' (for a URL: (await fetch(url)).body)'
    : ' (open it first, and pass its stream of bytes)'
}

export function chunkCure(source: object, chunk: unknown): string {
  if (ArrayBuffer.isView(chunk)) return ` (for the bytes of a view: ${VIEW})`
  if (typeof chunk !== 'string') return ''
  return isDestroyable(source)
    ? ' (do not set an encoding: the stream then gives bytes)'
    : ' (for the lines of several files: an array of paths, or files(); for text: Buffer.from(text))'
}

/** Adds to a system's error of a path what is to be done about it. */
export function withPathCure(error: unknown, path: string): unknown {
  if (!isErrorObject(error)) return error
  const cure = pathCure((error as NodeJS.ErrnoException).code, path)
  if (cure !== undefined) addToMessage(error, ` (${cure})`)
  return error
}

function pathCure(code: string | undefined, path: string): string | undefined {
  if (code === 'EISDIR') return "a folder: for its files: files('FOLDER/*')"
  if (code !== 'ENOENT' && code !== 'ENAMETOOLONG') return undefined
  if (path.includes('\n')) return 'for the lines of text in memory: [Buffer.from(text)]'
  if (/[*?]|\{.*\}/.test(path)) return `for the files that match: files(${received(path)})`
  // Says where it was looked for.
  return code === 'ENOENT' && !path.startsWith('/') ? `in the working directory ${process.cwd()}` : undefined
}
