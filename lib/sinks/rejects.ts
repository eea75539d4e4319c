/** `rejects()`: a value of the option `errors` by which failed items go to a file, and the stream continues. */
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { isErrorObject, received, typeError } from '../errors.js'
import { showState } from '../inspect.js'
import { offerTarget, type FailureTarget, type KeptFailures, type Rejected } from '../stream/failure-target.js'
import type { Rejects } from '../stream/outcome.js'
import { Disk } from '../disk/disk.js'
import type { KeptFile } from '../resume/mark.js'
import { InputFiles } from '../disk/input-files.js'
import { AtomicFile } from './atomic-file.js'

/** A block that is written at once, and the most that waits for it, in characters. */
const BLOCK_LENGTH = 64 * 1024
const MAX_WAITING_LENGTH = 1024 * 1024

/**
 * Makes a value of the option `errors`: each failed item goes to a file, and the stream continues with the others. The
 * file has a line of JSON for each of them, in the order of the items.
 *
 * The file appears when the stream ends, whole, as those of `write()` do. It replaces an older one, also if nothing has
 * failed. If the stream fails or is aborted, it is removed, and the older file stays. In a `pipe` that ends in `write()`
 * or `reduce()`, it appears after their results, and not if a later stage or the output fails. If you leave the stream
 * early, the file has what had failed until then.
 *
 * The fields of a line: `file`, `record`, `offset` and `length` say where a record or a line is in its input. Other items
 * have an `index`. `item` is what the task got. Of a record that cannot be read, `raw` is its
 * text, and `format` says how it is written. `error` has `name`, `code` and `message`. Then `task` and `attempts`.
 *
 * @param path A path, or a `file:` URL. Missing folders are created.
 * @returns The value for `errors`, for one stage at a time.
 * @throws {TypeError} `ERR_INVALID_ARGUMENTS`, at the call: not a path. The stream throws the errors of the system, with
 * the path, and what to do.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { imap, isMainThread, rejects, task } from 'millrace'
 *
 * const parse = task(import.meta.url, 'parse', (text: string): unknown => JSON.parse(text))
 *
 * if (isMainThread) {
 *   for await (const value of imap(parse, ['1', 'two', '3'], { errors: rejects('bad.ndjson') })) console.log(value)
 *   // → 1
 *   // → 3
 *   const [line = ''] = (await readFile('bad.ndjson', 'utf8')).split('\n')
 *   const { index, item, error } = JSON.parse(line) as { index: number; item: unknown; error: { name: string } }
 *   console.log(index, item, error.name)
 *   // → 1 two SyntaxError
 * }
 * ```
 */
export function rejects(path: string | URL): Rejects {
  const rejects = new RejectsOption(filePath(path))
  offerTarget(rejects, (wake, inputs, kept) => new RejectsFile(rejects.path, wake, inputs, kept))
  return rejects
}

const URL_START = /^[a-z][a-z\d+.-]+:\/\//i

function filePath(path: unknown): string {
  if (path instanceof URL && path.protocol === 'file:') return fileURLToPath(path)
  if (typeof path === 'string' && path !== '') {
    if (!URL_START.test(path)) return path
    if (path.toLowerCase().startsWith('file:')) return fileURLToPath(path)
  }
  throw typeError(
    'ERR_INVALID_ARGUMENTS',
    `Cannot write failed items to a file as its name must be a path or a file: URL: received ${received(path)}`,
  )
}

class RejectsOption implements Rejects {
  static {
    showState(this.prototype, ({ path }) => ({ path }), 'Rejects')
  }

  readonly path: string

  constructor(path: string) {
    this.path = path
  }
}

/** The paths that streams of this thread write at the moment, and those that are being removed. */
const inUse = new Set<string>()
const removals = new Map<string, Promise<void>>()

const disk = new Disk('rejects')

class RejectsFile implements FailureTarget {
  count: number
  length: number
  readonly kept: KeptFile | undefined
  failure: { readonly error: unknown } | undefined
  readonly #path: string
  readonly #file: AtomicFile
  readonly #wake: () => void
  readonly #opening: Promise<void>
  #lines: string[] = []
  #waiting = 0
  /** How many bytes are written, and how many of them are safe. */
  #written: number
  #safe: number
  #pump: Promise<void> | undefined
  #finishing: Promise<void> | undefined
  #publishing: Promise<void> | undefined
  #removal: Promise<void> | undefined

  constructor(path: string, wake: () => void, inputs: () => readonly string[], kept: KeptFailures | undefined) {
    if (inUse.has(path)) {
      throw typeError(
        'ERR_INVALID_OPTION',
        `Cannot write failed items to '${path}' as another stream writes that file: give each stage a file`,
      )
    }
    inUse.add(path)
    this.#path = path
    this.#wake = wake
    const { length = 0, count = 0 } = kept ?? {}
    this.count = count
    this.length = this.#written = this.#safe = length
    this.#file = new AtomicFile(path, { overwrite: true, inputs: new InputFiles(inputs), kept, disk })
    this.#file.restore(length)
    if (kept !== undefined) {
      const lengthOf = (): number => this.length
      this.kept = {
        path,
        get length() {
          return lengthOf()
        },
        sync: (length) => this.#sync(length),
      }
    }
    this.#opening = Promise.resolve(removals.get(path)).then(() => this.#file.open())
    this.#opening.catch(this.#fail)
  }

  get isFull(): boolean {
    return this.#waiting >= MAX_WAITING_LENGTH
  }

  add(rejected: Rejected): void {
    this.count++
    const line = `${lineOf(rejected)}\n`
    this.#lines.push(line)
    this.#waiting += line.length
    this.length += Buffer.byteLength(line)
    if (this.#waiting >= BLOCK_LENGTH) void this.#write()
  }

  finish(): Promise<void> {
    this.#finishing ??= this.#finish()
    return this.#finishing
  }

  publish(): Promise<void> {
    this.#publishing ??= this.#publish()
    return this.#publishing
  }

  discard(): Promise<void> {
    if (this.#removal !== undefined) return this.#removal
    inUse.delete(this.#path)
    const removal = this.#remove()
    this.#removal = removal
    removals.set(this.#path, removal)
    void removal.then(() => {
      if (removals.get(this.#path) === removal) removals.delete(this.#path)
    })
    return removal
  }

  /** Writes what waits. Never rejects. */
  #write(): Promise<void> {
    this.#pump ??= this.#writeAll().then(() => {
      this.#pump = undefined
    }, this.#fail)
    return this.#pump
  }

  async #writeAll(): Promise<void> {
    await this.#opening
    while (this.#lines.length > 0 && this.#removal === undefined) {
      const block = Buffer.from(this.#lines.join(''))
      this.#lines = []
      this.#waiting = 0
      await this.#file.write([block])
      this.#written += block.length
      this.#wake()
    }
  }

  async #finish(): Promise<void> {
    try {
      await this.#opening
      while (this.#lines.length > 0 && this.failure === undefined && this.#removal === undefined) await this.#write()
      if (this.failure !== undefined) throw this.failure.error
      if (this.#removal === undefined) await this.#file.finish()
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  async #publish(): Promise<void> {
    await this.finish()
    if (this.#removal !== undefined) return
    try {
      // One that is kept is published by the sink.
      if (this.kept === undefined) await this.#file.publish()
      inUse.delete(this.#path)
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  /** Makes its first bytes, up to this length, safe for a later run. */
  async #sync(length: number): Promise<void> {
    await this.#opening
    while (this.#written < length) {
      if (this.failure !== undefined) throw this.failure.error
      if (this.#removal !== undefined)
        throw new Error(`'${this.#path}' is not written any more, as its stream has ended`)
      await this.#write()
    }
    if (length <= this.#safe) return
    await this.#file.sync()
    this.#safe = length
  }

  /** Waits for what is under way. Nothing more is written. Never rejects. */
  async #remove(): Promise<void> {
    await this.#opening.catch(noop)
    await Promise.all([this.#pump, this.#finishing?.catch(noop), this.#publishing?.catch(noop)])
    await this.#file.discard()
  }

  readonly #fail = (error: unknown): void => {
    this.failure ??= { error }
    this.#wake()
  }
}

/** An item as a line of JSON. */
function lineOf({ index, item, format, place, error, task, attempts }: Rejected): string {
  const where = place && { file: place.file, record: place.record, offset: place.offset, length: place.length }
  const rest = { error: shownError(error), task, attempts }
  const start = where ?? { index }
  // The key of a format has all of it again.
  if (format !== undefined)
    return JSON.stringify({ ...start, raw: item, format: { ...format, key: undefined }, ...rest })
  try {
    // JSON has no undefined.
    return JSON.stringify({ ...start, item: item === undefined ? null : item, ...rest })
  } catch {
    // Its text, for people: it cannot be read again.
    return JSON.stringify({ ...start, shown: inspect(item), ...rest })
  }
}

function shownError(error: unknown): { name: string; code?: unknown; message: string } {
  if (!isErrorObject(error)) return { name: typeof error, message: received(error) }
  const { name, message } = error
  const { code } = error as { code?: unknown }
  const isShown = typeof code === 'string' || typeof code === 'number'
  return { name, ...(isShown && { code }), message }
}

function noop(): void {
  // It is told elsewhere.
}
