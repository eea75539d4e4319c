/**
 * Counts the bytes of an input as they are read, in the form in which they are stored: compressed ones before they are
 * inflated. It keeps sizes and paths, and nothing else, so that an ended stream can keep it.
 */
import { stat } from 'node:fs'
import { promisify } from 'node:util'

const statPath = promisify(stat)

/** How far a source has been read. */
export interface SourceBytes {
  /**
   * Bytes that were read so far, as they are stored: compressed ones before they are inflated. Blocks that were read
   * ahead count.
   */
  readonly read: number
  /**
   * Bytes of all files together, at least `read`. Undefined for a source that is not a file, until it has ended. Also
   * undefined until the sizes of all files are known: the first access asks the system for them.
   */
  readonly total: number | undefined
}

/** The count of one source. Its reader writes here. */
export interface ByteCount {
  read: number
  /** How many bytes an earlier run had read, where this one goes on. */
  earlier: number
  /** The size of the file when it was opened; undefined while that is unknown. */
  size: number | undefined
  /** Whether all has been read. */
  hasEnded: boolean
}

interface Counted extends ByteCount {
  readonly path: string | undefined
  /** Whether it stands for a list of files that is not known yet. */
  readonly isList: boolean
  /** Whether the system has been asked for its size. */
  isLookedUp: boolean
}

/** How an input has ended: all of it has been read, or it was closed before. */
export type InputEnd = 'done' | 'left'

export class InputMeter {
  /** Those of its lists. */
  readonly globs: string[] = []
  #sources: Counted[] = []
  /** How many sources have been reached. */
  #reached = 0
  #began: number | undefined
  #isLooking = false
  #end: InputEnd | undefined
  readonly #endListeners: ((end: InputEnd) => void)[] = []

  /** Counts one more source. */
  add(path: string | undefined): ByteCount {
    const source = counted(path)
    this.#sources.push(source)
    return source
  }

  /** A list of files comes next, which is not known yet. @returns Its place, for `putList()`. */
  expectList(globs: readonly string[]): ByteCount {
    this.globs.push(...globs)
    const place = { ...counted(undefined), isList: true }
    this.#sources.push(place)
    return place
  }

  /** The files of a list are known. @returns Their counts, in the same order. */
  putList(place: ByteCount, paths: readonly (string | undefined)[]): ByteCount[] {
    const at = this.#sources.indexOf(place as Counted)
    const listed = paths.map(counted)
    this.#sources = [...this.#sources.slice(0, at), ...listed, ...this.#sources.slice(at + 1)]
    return listed
  }

  /** The next source is read from now on. Others may be read ahead. */
  reach(): void {
    this.#began ??= performance.now()
    this.#reached++
  }

  /** The next source has been read by an earlier run, up to a number of bytes. @param isDone Whether that is all of it. */
  pass(bytes: number, isDone: boolean): void {
    const source = this.#sources[this.#reached]
    if (source === undefined) return
    source.read = source.earlier = bytes
    source.hasEnded = isDone
    if (isDone) this.reach()
  }

  /** The input has ended. Only the first call counts. */
  end(end: InputEnd): void {
    if (this.#end !== undefined) return
    this.#end = end
    for (const listener of this.#endListeners.splice(0)) listener(end)
  }

  /** Calls the listener when the input ends; at once, if it has. */
  onEnd(listener: (end: InputEnd) => void): void {
    if (this.#end === undefined) this.#endListeners.push(listener)
    else listener(this.#end)
  }

  /** When the first source was reached, by the clock of `performance`; undefined before that. */
  get began(): number | undefined {
    return this.#began
  }

  /** Bytes that an earlier run has read, where this one goes on: they count as read. */
  get earlier(): number {
    let earlier = 0
    for (const source of this.#sources) earlier += source.earlier
    return earlier
  }

  get read(): number {
    let read = 0
    for (const source of this.#sources) read += source.read
    return read
  }

  /** See `SourceBytes`. */
  get total(): number | undefined {
    let total: number | undefined = 0
    for (const source of this.#sources) {
      const size = sizeOf(source)
      if (size === undefined) this.lookUp()
      total = size === undefined || total === undefined ? undefined : total + size
    }
    return total
  }

  get bytes(): SourceBytes {
    return { read: this.read, total: this.total }
  }

  /** The source that is being read: its path, if it is a file, and its number, from 1; and how many there are. */
  get place(): { readonly path: string | undefined; readonly number: number; readonly count: number } {
    const number = Math.min(Math.max(1, this.#reached), this.#sources.length)
    return { path: this.#sources[number - 1]?.path, number, count: this.#sources.length }
  }

  /** The sources in turn. */
  get sources(): readonly { readonly path: string | undefined; readonly read: number; readonly size?: number }[] {
    const known = this.#sources.filter(({ isList }) => !isList)
    return known.map((source) => {
      const size = sizeOf(source)
      return { path: source.path, read: source.read, ...(size !== undefined && { size }) }
    })
  }

  /** Asks the system for the sizes of files that are not open yet. */
  lookUp(): void {
    if (this.#isLooking) return
    const unknown = this.#sources.filter(
      ({ path, isLookedUp, size }) => path !== undefined && !isLookedUp && size === undefined,
    )
    if (unknown.length === 0) return
    this.#isLooking = true
    void this.#lookUpEach(unknown)
  }

  /** Never rejects. */
  async #lookUpEach(sources: readonly Counted[]): Promise<void> {
    for (const source of sources) {
      source.isLookedUp = true
      const size = await sizeOfFile(source.path ?? '')
      source.size ??= size
    }
    this.#isLooking = false
  }
}

function counted(path: string | undefined): Counted {
  return { path, isList: false, read: 0, earlier: 0, size: undefined, hasEnded: false, isLookedUp: false }
}

/** The bytes of a source, as far as that is known. A file may grow or shrink while it is read. */
function sizeOf({ read, size, hasEnded }: ByteCount): number | undefined {
  if (hasEnded) return read
  // Such files, as in /proc, are not empty.
  if (size === undefined || (size === 0 && read > 0)) return undefined
  return Math.max(size, read)
}

/** Undefined if it is not a file, or cannot be read: the reader tells that. */
async function sizeOfFile(path: string): Promise<number | undefined> {
  try {
    const stats = await statPath(path)
    return stats.isFile() ? stats.size : undefined
  } catch {
    return undefined
  }
}

const meters = new WeakMap<object, InputMeter>()

/** Lets progress and figures of a source be found. */
export function offerMeter(source: object, meter: InputMeter): void {
  meters.set(source, meter)
}

/** The meter of a source; undefined if it does not read bytes, or is unknown. */
export function meterOf(source: object): InputMeter | undefined {
  return meters.get(source)
}
