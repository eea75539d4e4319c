/**
 * The base of streams, of parts of them and of batches: results that are read once, one by one or all at once. Also the parts, which
 * `take()` and `drop()` give.
 */
import type { Batch } from '../codec/batch.js'
import { showState } from '../inspect.js'
import { offerBatches, openBatches, type BatchReader } from '../io/source.js'
import { assertCount } from '../options.js'
import { Mark, offerResume, type Json, type ResumePoint } from '../resume/mark.js'
import { noteOrigin, originOf } from './origin.js'
import { offerFormatted, openFormatted } from '../formats/offer.js'

/** An async iterator over results, which `await using` closes. A `Stream` is one. A part of it and `batch()` of it are others. */
export abstract class Results<R> implements AsyncIterableIterator<R, undefined, unknown>, AsyncDisposable {
  /** Asks for the next result. May be called again before the last one has settled: results come in the order of calls. */
  abstract next(): Promise<IteratorResult<R, undefined>>

  /** Ends the reading, and closes what the results are read from. `for await` calls it on `break`. */
  abstract return(): Promise<IteratorResult<R, undefined>>

  /**
   * The results themselves: they can be iterated once.
   *
   * @throws {TypeError} `ERR_INVALID_SOURCE`: they have been read to the end, or left by `break` or `return()`.
   */
  abstract [Symbol.asyncIterator](): this

  /** As `return()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /**
   * Gives at most the next `count` results. After the last of them it closes this stream, without asking for another one. Lazy.
   * A stream reads ahead of what is taken, by one `window` at most.
   *
   * @param count How many: an integer of at least 0, or `Infinity`.
   * @throws {RangeError | TypeError} `ERR_INVALID_ARGUMENTS`, at the call: another count.
   *
   * @example
   * ```ts
   * import { imap, isMainThread, task } from 'millrace'
   *
   * const square = task(import.meta.url, 'square', (x: number) => x * x)
   *
   * function* count() {
   *   for (let n = 1; ; n++) yield n
   * }
   *
   * if (isMainThread) {
   *   for await (const y of imap(square, count()).take(3)) console.log(y)
   *   // → 1
   *   // → 4
   *   // → 9
   * }
   * ```
   */
  take(count: number): Results<R> {
    assertCount('take results of a stream', count, 0)
    return new Taken(this, count)
  }

  /**
   * Leaves out the next `count` results, and gives all others. Lazy: they are computed and left out at the first `next()`.
   *
   * @param count How many: an integer of at least 0, or `Infinity`.
   * @throws {RangeError | TypeError} `ERR_INVALID_ARGUMENTS`, at the call: another count.
   *
   * @example
   * ```ts
   * import { imap, isMainThread, task } from 'millrace'
   *
   * const square = task(import.meta.url, 'square', (x: number) => x * x)
   *
   * if (isMainThread) {
   *   for await (const y of imap(square, [1, 2, 3, 4]).drop(2)) console.log(y)
   *   // → 9
   *   // → 16
   * }
   * ```
   */
  drop(count: number): Results<R> {
    assertCount('drop results of a stream', count, 0)
    return new Dropped(this, count)
  }

  /**
   * Reads all results that are left into an array. They are then all in memory.
   *
   * @throws As `next()` does; rejects with `ERR_INVALID_SOURCE` where the stream has ended before.
   *
   * @example
   * ```ts
   * import { imap, isMainThread, task } from 'millrace'
   *
   * const square = task(import.meta.url, 'square', (x: number) => x * x)
   *
   * if (isMainThread) {
   *   console.log(await imap(square, [1, 2, 3]).toArray())
   *   // → [ 1, 4, 9 ]
   * }
   * ```
   */
  async toArray(): Promise<R[]> {
    const all: R[] = []
    const batches = openBatches(this)
    if (batches === undefined) {
      for await (const result of this) all.push(result)
      return all
    }
    for (let batch = await batches.next(Infinity); batch !== undefined; batch = await batches.next(Infinity)) {
      for (const result of batch.values()) all.push(result as R)
      batch.release()
    }
    return all
  }
}

/** Reads one by one: if calls of `next()` overlap, each waits for the one before. */
export abstract class SerialResults<R> extends Results<R> {
  #last: Promise<unknown> = Promise.resolve()

  protected abstract readNext(): Promise<IteratorResult<R, undefined>>

  next(): Promise<IteratorResult<R, undefined>> {
    return this.inTurn(() => this.readNext())
  }

  protected inTurn<T>(read: () => Promise<T>): Promise<T> {
    const result = this.#last.then(read)
    // The result is not kept, and the read itself tells of an error.
    this.#last = result.then(noop, noop)
    return result
  }
}

abstract class Part<R> extends SerialResults<R> {
  protected readonly source: Results<R>
  protected readonly count: number
  /** How many results are still to be given, or to be left out. */
  protected left: number
  readonly #point: ResumePoint

  constructor(source: Results<R>, verb: 'take' | 'drop', count: number) {
    super()
    this.source = source
    this.count = count
    this.left = count
    const begin = (_: unknown, note?: Json): void => {
      if (typeof note === 'number') this.left = note
    }
    const noteEnd = (mark: Mark): void => {
      this.note(mark)
    }
    this.#point = { source, plan: { verb, count: String(count) }, begin, noteEnd }
    offerResume(this, this.#point)
    noteOrigin(this, originOf(source))
    offerBatches(this, () => {
      this[Symbol.asyncIterator]()
      return this.reader(openBatches(source))
    })
  }

  protected reader(batches: BatchReader | undefined): BatchReader | undefined {
    return (
      batches && {
        next: (max) => this.inTurn(() => this.readBatch(batches, max)),
        close: () => this.return(),
      }
    )
  }

  protected abstract readBatch(batches: BatchReader, max: number): Promise<Batch | undefined>

  /** Infinity is none that changes. */
  protected note(mark: Mark): Mark {
    mark.notes.set(this.#point, Number.isFinite(this.left) ? this.left : null)
    return mark
  }

  /** At once: reads that wait are then done. */
  return(): Promise<IteratorResult<R, undefined>> {
    return this.source.return()
  }

  [Symbol.asyncIterator](): this {
    this.source[Symbol.asyncIterator]()
    return this
  }
}

class Taken<R> extends Part<R> {
  static {
    showState(
      this.prototype as Taken<unknown>,
      (taken) => ({ count: taken.count, left: taken.left, source: taken.source }),
      'Taken',
    )
  }

  /** Set when the last result has been taken: settles when the source is closed. The next read waits for it. */
  #closed: Promise<unknown> | undefined

  constructor(source: Results<R>, count: number) {
    super(source, 'take', count)
    // Not with drop(): the columns of a table are those of the first record that is given.
    offerFormatted(this, (layout) => this.reader(openFormatted(source, layout)))
  }

  protected async readNext(): Promise<IteratorResult<R, undefined>> {
    if (this.left === 0) return await this.#end()
    const result = await this.source.next()
    if (result.done !== true) this.#give(1)
    return result
  }

  protected async readBatch(batches: BatchReader, max: number): Promise<Batch | undefined> {
    if (this.left === 0) return (await this.#end()).value
    const batch = await batches.next(Math.min(max, this.left))
    if (batch instanceof Mark) return this.note(batch)
    if (batch !== undefined) this.#give(batch.length)
    return batch
  }

  #give(length: number): void {
    this.left -= length
    if (this.left > 0) return
    this.#closed = this.source.return()
    this.#closed.catch(noop)
  }

  async #end(): Promise<IteratorReturnResult<undefined>> {
    const closed = this.#closed ?? this.source.return()
    this.#closed = Promise.resolve()
    await closed
    return { value: undefined, done: true }
  }
}

class Dropped<R> extends Part<R> {
  static {
    showState(
      this.prototype as Dropped<unknown>,
      (dropped) => ({ count: dropped.count, source: dropped.source }),
      'Dropped',
    )
  }

  constructor(source: Results<R>, count: number) {
    super(source, 'drop', count)
  }

  protected async readNext(): Promise<IteratorResult<R, undefined>> {
    if (this.left > 0) await this.#skip(batchesOf(this.source))
    return await this.source.next()
  }

  protected async readBatch(batches: BatchReader, max: number): Promise<Batch | undefined> {
    const mark = this.left > 0 ? await this.#skip(batches) : undefined
    const batch = mark ?? (await batches.next(max))
    return batch instanceof Mark ? this.note(batch) : batch
  }

  /** In batches, if there are any, which then need no decoding. @returns A mark that has come before the end. */
  async #skip(batches: BatchReader | undefined): Promise<Mark | undefined> {
    let left = this.left
    // Before the first read: after an error, nothing else is skipped.
    this.left = 0
    while (left > 0) {
      if (batches === undefined) {
        if ((await this.source.next()).done === true) return undefined
        left--
      } else {
        const batch = await batches.next(left)
        if (batch === undefined) return undefined
        if (batch instanceof Mark) {
          this.left = left
          return batch
        }
        batch.release()
        left -= batch.length
      }
    }
    return undefined
  }
}

function batchesOf(source: object): BatchReader | undefined {
  try {
    return openBatches(source)
  } catch {
    // The source has ended, and its next() says so.
    return undefined
  }
}

function noop(): void {
  // Nothing is to be done.
}

// The same prototype as async iterators of the language. Node has no class AsyncIterator that could be extended.
const generators = Object.getPrototypeOf(noItems) as { readonly prototype: object }
Object.setPrototypeOf(Results.prototype, Object.getPrototypeOf(generators.prototype) as object)

async function* noItems(): AsyncGenerator<never> {
  // For its prototype.
}
