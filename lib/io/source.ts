/**
 * Reading any source one item at a time: arrays, generators, Node and web streams, anything iterable.
 * This file hides their differences, above all in how they are closed; it keeps no items.
 */
import type { Batch } from '../codec/batch.js'
import { received, typeError } from '../errors.js'
import { openBegunArray } from '../resume/list-point.js'

/** Anything items can be read from: an `Iterable` or an `AsyncIterable`. */
export type Source<T> = Iterable<T> | AsyncIterable<T>

/** An opened source. `next` may throw or reject; `close` tells the source that reading has ended. */
export interface Reader<T> {
  /** Whether items that are promises are to be awaited, as `for await` does with what an `Iterable` gives. */
  readonly givesPromises?: boolean
  next(): IteratorResult<T> | Promise<IteratorResult<T>>
  /** Called at most once, also while a `next()` is pending, and never after the source ended or threw. */
  close(end?: PipelineEnd): unknown
}

/** The end, as a reader gives it. Not for users, as they may change objects that they get. */
export const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** An opened source of batches. */
export interface BatchReader {
  /** Reads the next values, from one to `max`; undefined at the end. May throw or reject. One call at a time. */
  next(max: number): Batch | undefined | Promise<Batch | undefined>
  /** Called at most once, also while a `next()` is pending, and never after the source ended or threw. */
  close(end?: PipelineEnd): unknown
  /**
   * How many of the next values cost least if they are read together, and run by one worker. Undefined: it does not
   * matter, or is not known. A reader that does not know it yet may give an empty batch first.
   */
  readonly unit?: number | undefined
}

/** What reads batches: whether their values are needed on this thread. In workers, they may be read from files there. */
export interface BatchUse {
  readonly inWorkers: boolean
}

export const ON_THIS_THREAD: BatchUse = { inWorkers: false }

/**
 * Why a source is closed, where the stream is part of `stream.pipeline`. That reports the first error that it gets. A
 * Node stream that is destroyed without an error gives it one: `ERR_STREAM_PREMATURE_CLOSE`.
 */
export interface PipelineEnd {
  /** The stream has failed with this, and the source is closed with it. Undefined: the stream was left. */
  readonly failure: { readonly error: unknown } | undefined
}

/** Kept apart from the sources themselves: it is a matter between parts of this library. */
const openers = new WeakMap<object, (use: BatchUse) => BatchReader | undefined>()
/** Sources of records: their batches know the places of records, and may have bad ones. */
const ofRecords = new WeakSet<object>()

/**
 * Lets `source` be read in whole batches. `open` opens it, as an iterator method does: once. It gives undefined if the
 * source can only be read item by item.
 *
 * @param areRecords Whether they are records. Item by item, the first bad one would end the source, and nobody would know places.
 */
export function offerBatches(
  source: object,
  open: (use: BatchUse) => BatchReader | undefined,
  areRecords = false,
): void {
  openers.set(source, open)
  if (areRecords) ofRecords.add(source)
}

export function givesRecords(source: object): boolean {
  return ofRecords.has(source)
}

/** Opens a source that offers batches; undefined if it does not. */
export function openBatches(source: object, use: BatchUse = ON_THIS_THREAD): BatchReader | undefined {
  return openers.get(source)?.(use) ?? openBegunArray(source)
}

/** Whether a value can be read as a source at all (a string cannot: its characters are hardly meant). */
export function isIterable(value: unknown): value is Source<unknown> {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function') || refused.has(value)) return false
  const { [Symbol.asyncIterator]: async, [Symbol.iterator]: sync } = value as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >
  return typeof async === 'function' || typeof sync === 'function' || isWebStream(value)
}

/** Objects that only say why they cannot be iterated. */
const refused = new WeakSet<object>()

/** Makes a loop over `value`, which is not a source, throw what `iterated` throws. */
export function refuseIteration(value: object, iterated: () => never): void {
  refused.add(value)
  Object.defineProperty(value, Symbol.asyncIterator, { value: iterated })
}

/** Opens a source: calls its iterator method, and reads nothing. */
export function openSource<T>(source: Source<T>): Reader<T> {
  if (isWebStream(source)) return webReader<T>(source)
  const { [Symbol.asyncIterator]: async } = source as AsyncIterable<T>
  const iterator = typeof async === 'function' ? async.call(source) : (source as Iterable<T>)[Symbol.iterator]()
  assertIterator(iterator)
  const reader = iteratorReader(iterator, isDestroyable(source) ? source : undefined)
  return typeof async === 'function' ? reader : { ...reader, givesPromises: true }
}

/**
 * Closes a source that was never opened. A stream is destroyed or cancelled, and the `return()`
 * of an iterator (such as a generator) is called. Other sources, such as arrays, have nothing to close.
 */
export function closeUnopened(source: Source<unknown>, end?: PipelineEnd): unknown {
  if (isDestroyable(source)) {
    destroy(source, end)
    return undefined
  }
  if (isWebStream(source)) {
    const stream = source as { readonly locked?: boolean; cancel?: (reason: unknown) => unknown }
    return stream.locked === true ? undefined : stream.cancel?.(end?.failure?.error)
  }
  const iterator = source as Partial<AsyncIterator<unknown>>
  return typeof iterator.next === 'function' ? iterator.return?.() : undefined
}

function assertIterator(iterator: unknown): void {
  if (typeof (iterator as { next?: unknown } | null | undefined)?.next === 'function') return
  throw typeError(
    'ERR_INVALID_SOURCE',
    `Cannot read the source as its iterator must have a method next(): received ${received(iterator)}`,
  )
}

interface Destroyable {
  destroy(error?: unknown): unknown
  on?(event: 'error', listener: () => void): unknown
}

/**
 * Node's streams iterate by an async generator, whose `return()` queues behind a `next()` that may never settle; only
 * `destroy()` ends a silent stream. So a stream is destroyed first.
 */
function iteratorReader<T>(iterator: Iterator<T> | AsyncIterator<T>, stream?: Destroyable): Reader<T> {
  return {
    next: () => iterator.next(),
    close: (end) => {
      if (stream !== undefined) destroy(stream, end)
      // An iterator of a Node stream destroys it at once, and is done when the stream is destroyed later.
      const isLater = stream !== undefined && end !== undefined && end.failure === undefined
      return isLater ? undefined : iterator.return?.()
    },
  }
}

/**
 * Destroys a Node stream. In a pipeline: with the error that ends it, or, without one, after the pipeline got an error.
 */
function destroy(stream: Destroyable, end: PipelineEnd | undefined): void {
  keepConnection(stream)
  if (end === undefined) stream.destroy()
  else if (end.failure === undefined) setImmediate(() => stream.destroy())
  else {
    // This library's stream throws the error. A source that is not part of the pipeline itself must not throw it, too.
    stream.on?.('error', noop)
    stream.destroy(end.failure.error)
  }
}

/**
 * The connection of a request to a server is kept, as in Node's own loops: the answer needs it. Such an
 * `IncomingMessage` has no status, unlike a response.
 */
function keepConnection(stream: Destroyable): void {
  const message = stream as { statusCode?: unknown; complete?: unknown; socket?: unknown }
  if (message.statusCode === null && typeof message.complete === 'boolean') message.socket = null
}

function noop(): void {
  // Nothing is to be done.
}

/** Whether a source is a stream of Node's. */
export function isDestroyable(source: object): source is Destroyable {
  const { destroy, pipe } = source as { destroy?: unknown; pipe?: unknown }
  return typeof destroy === 'function' && typeof pipe === 'function'
}

interface WebReader<T> {
  read(): Promise<{ done: false; value: T } | { done: true; value?: T | undefined }>
  cancel(reason?: unknown): Promise<void>
  releaseLock(): void
}

function isWebStream(source: object): source is { getReader(): WebReader<never> } {
  return typeof (source as { getReader?: unknown }).getReader === 'function'
}

/** A separate reader, because cancelling it settles a pending `read()`. The stream's iterator does not do that. */
function webReader<T>(source: { getReader(): WebReader<T> }): Reader<T> {
  const reader = source.getReader()
  return {
    next: async () => {
      const { done, value } = await reader.read()
      if (!done) return { done, value }
      reader.releaseLock()
      return DONE
    },
    close: async (end) => {
      await reader.cancel(end?.failure?.error)
      reader.releaseLock()
    },
  }
}
