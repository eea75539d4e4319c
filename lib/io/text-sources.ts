/**
 * Several sources of text, one after the other. Each is opened when it is reached. But compressed files are inflated
 * side by side: when a source is reached, those of the next ones are opened, too.
 */
import { availableParallelism } from 'node:os'
import { isByteList, type ByteInput, type ByteList, type Bytes } from './bytes.js'
import { closeWithTimeout } from './close-with-timeout.js'
import { InputMeter, type ByteCount } from './input-meter.js'
import type { TextOptions } from './text.js'
import { TextSource } from './text-source.js'

/** Files are inflated in the pool of libuv, which has this many threads by default. */
const MAX_FILES_AT_ONCE = 4

/** How many compressed files are inflated at once: the one that was reached, and the next ones. */
function filesAtOnce(): number {
  return Math.min(availableParallelism(), MAX_FILES_AT_ONCE)
}

export class TextSources {
  /** Counts their bytes. */
  readonly meter: InputMeter = new InputMeter()
  /** Those not yet looked at. */
  #inputs: Iterator<ByteInput>
  /** A list that has been reached: its sources are the next ones. */
  #list: ByteList | undefined
  #listed: Iterator<Bytes> = [].values()
  readonly #options: TextOptions
  readonly #filesAtOnce: number
  /** The next ones. Those of them that are compressed files are open. */
  readonly #ahead: TextSource[] = []

  /** @param atOnce How many compressed files are inflated at once. Default: as many as there are cores, at most four. */
  constructor(inputs: readonly ByteInput[], options: TextOptions, atOnce?: number) {
    this.#inputs = inputs.map((input) => counted(input, this.meter)).values()
    this.#options = options
    // One source needs no other open. To count the cores takes milliseconds the first time.
    const isOne = inputs.length === 1 && !inputs.some(isByteList)
    this.#filesAtOnce = atOnce ?? (isOne ? 1 : filesAtOnce())
  }

  /**
   * Finds out what the next source is. A promise if a list must be read for that: then `next()` is to be called when it
   * has settled. A list is read at its turn, so its error comes after all sources before it.
   */
  find(): Promise<void> | undefined {
    this.#look()
    return this.#ahead.length === 0 && this.#list !== undefined ? this.#readLists() : undefined
  }

  /** The next source, which is the caller's to open and to close; undefined if there is none. */
  next(): TextSource | undefined {
    this.#look()
    const source = this.#ahead.shift()
    if (source === undefined) this.meter.end('done')
    else this.meter.reach()
    return source
  }

  /** Gives no more sources, and closes those that were opened ahead. May be called at any time and again. */
  async close(): Promise<void> {
    this.#inputs = this.#listed = [].values()
    this.#list = undefined
    this.meter.end('left')
    await Promise.all(this.#ahead.splice(0).map((source) => closeWithTimeout(source)))
  }

  /** Looks at the next sources, up to a list. */
  #look(): void {
    while (this.#ahead.length < this.#filesAtOnce) {
      const bytes = this.#nextBytes()
      if (bytes === undefined) return
      const source = new TextSource(bytes, this.#options)
      if (this.#ahead.length > 0) source.openAhead()
      this.#ahead.push(source)
    }
  }

  /** Undefined at a list, and at the end. */
  #nextBytes(): Bytes | undefined {
    const listed = this.#listed.next()
    if (!listed.done) return listed.value
    if (this.#list !== undefined) return undefined
    const input = this.#inputs.next()
    if (input.done) return undefined
    if (!isByteList(input.value)) return input.value
    this.#list = input.value
    return undefined
  }

  /** Reads lists until one has a source, or none is left. */
  async #readLists(): Promise<void> {
    while (this.#ahead.length === 0 && this.#list !== undefined) {
      const list = this.#list
      const sources = await list.list()
      // It may have been closed meanwhile.
      if (this.#list !== list) return
      this.#list = undefined
      this.#listed = sources.values()
      this.#look()
    }
  }
}

function counted(input: ByteInput, meter: InputMeter): ByteInput {
  if (!isByteList(input)) return countedBytes(input, meter.add(input.path))
  const place = meter.expectList(input.globs)
  const list = async (): Promise<readonly Bytes[]> => {
    const sources = await input.list()
    const counts = meter.putList(
      place,
      sources.map(({ path }) => path),
    )
    return sources.map((bytes, i) => countedBytes(bytes, counts[i]))
  }
  return { ...input, list }
}

function countedBytes(bytes: Bytes, count: ByteCount | undefined): Bytes {
  const open = (): ReturnType<Bytes['open']> => {
    // It is opened again if opening it ahead has failed.
    if (count !== undefined) count.read = 0
    return bytes.open(count)
  }
  return { path: bytes.path, open }
}
