/**
 * Several sources of text, one after the other. Each is opened when it is reached. But compressed files are inflated
 * side by side: when a source is reached, those of the next ones are opened, too.
 */
import { availableParallelism } from 'node:os'
import type { Bytes } from './bytes.js'
import { closeWithTimeout } from './close-with-timeout.js'
import type { TextOptions } from './text.js'
import { TextSource } from './text-source.js'

/** Files are inflated in the pool of libuv, which has this many threads by default. */
const MAX_FILES_AT_ONCE = 4
/** How many compressed files are inflated at once: the one that was reached, and the next ones. */
const FILES_AT_ONCE = Math.min(availableParallelism(), MAX_FILES_AT_ONCE)

export class TextSources {
  /** Those not yet looked at. */
  #sources: Iterator<Bytes>
  readonly #options: TextOptions
  readonly #filesAtOnce: number
  /** The next ones. Those of them that are compressed files are open. */
  readonly #ahead: TextSource[] = []

  constructor(sources: readonly Bytes[], options: TextOptions, filesAtOnce: number = FILES_AT_ONCE) {
    this.#sources = sources.values()
    this.#options = options
    this.#filesAtOnce = filesAtOnce
  }

  /** The next source, which is the caller's to open and to close; undefined if there is none. */
  next(): TextSource | undefined {
    while (this.#ahead.length < this.#filesAtOnce) {
      const next = this.#sources.next()
      if (next.done) break
      const source = new TextSource(next.value, this.#options)
      if (this.#ahead.length > 0) source.openAhead()
      this.#ahead.push(source)
    }
    return this.#ahead.shift()
  }

  /** Gives no more sources, and closes those that were opened ahead. May be called at any time and again. */
  async close(): Promise<void> {
    this.#sources = [].values()
    await Promise.all(this.#ahead.splice(0).map((source) => closeWithTimeout(source)))
  }
}
