/** Runs the items of a chunk one after the other. It makes no promise as long as nothing has to be awaited. */
import { cursorOf, type Cursor } from '../codec/codec.js'
import { isCancelled, markAwaiting } from './cells.js'
import { ItemContext, type RunningChunk } from './chunk.js'
import { isThenable } from '../thenable.js'
import { elementsOf } from './expand.js'
import { takesContext, type TaskFunction } from './load.js'
import type { Poster } from './poster.js'

export class SequentialRun {
  readonly #fn: TaskFunction
  readonly #chunk: RunningChunk
  readonly #poster: Poster
  readonly #cursor: Cursor
  /** The offset of the next item in the chunk, and the last one that has begun. */
  #next: number
  #item: unknown

  constructor(fn: TaskFunction, chunk: RunningChunk, poster: Poster) {
    this.#fn = fn
    this.#chunk = chunk
    this.#poster = poster
    this.#cursor = cursorOf(chunk.data)
    this.#next = chunk.start
    for (let chunkOffset = 0; chunkOffset < this.#next; chunkOffset++) this.#cursor.skip()
  }

  /** Runs all items, or those before a cancel. */
  run(): Promise<void> | undefined {
    const awaited = this.#untilAwaited()
    return awaited && this.#awaiting(awaited)
  }

  /** Runs items until there is something to await: the result of the last item that has begun. */
  #untilAwaited(): PromiseLike<unknown> | undefined {
    const fn = this.#fn
    const chunk = this.#chunk
    const poster = this.#poster
    const { length, next, skip } = this.#cursor
    const { slot, seq, first, settled, job, host } = chunk
    const { kind } = job
    const { cells } = host
    const { begin } = chunk
    const withContext = takesContext(kind, fn)
    markAwaiting(cells, false)
    while (this.#next < length && !isCancelled(cells, slot, seq)) {
      const chunkOffset = this.#next++
      const error = settled?.get(chunkOffset)
      if (error !== undefined) {
        skip()
        poster.outbox.fail(error)
        continue
      }
      begin(cells, chunkOffset)
      try {
        const item = next()
        this.#item = item
        let result = withContext ? fn(item, new ItemContext(chunk, first + chunkOffset)) : fn(item)
        if (kind === 'flatMap' && !isThenable(result)) result = elementsOf(result)
        if (isThenable(result)) return result
        poster.take(item, result, chunkOffset, this.#next < length)
      } catch (error) {
        poster.failed(chunk.encodeError(error, chunkOffset))
      }
      poster.postIfDue(this.#next < length)
    }
    return undefined
  }

  async #awaiting(first: PromiseLike<unknown>): Promise<void> {
    const poster = this.#poster
    const { job, host, track } = this.#chunk
    const { kind } = job
    const { cells } = host
    for (let awaited: PromiseLike<unknown> | undefined = first; awaited !== undefined; awaited = this.#untilAwaited()) {
      try {
        if (poster.outbox.count > 0) poster.postSoon()
        markAwaiting(cells, true)
        track?.()
        let result = await awaited
        if (kind === 'flatMap') result = await elementsOf(result)
        // Only now: while the result was awaited, a timer may have posted the outbox and made a new one.
        poster.take(this.#item, result, this.#next - 1, this.#next < this.#cursor.length)
      } catch (error) {
        poster.failed(this.#chunk.encodeError(error, this.#next - 1))
      }
      poster.postIfDue(this.#next < this.#cursor.length)
    }
  }
}
