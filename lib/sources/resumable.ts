/** `resumable()`: a source of other data that can go on where an earlier run was. */
import { Items, type Batch } from '../codec/batch.js'
import { received, typeError } from '../errors.js'
import { showState } from '../inspect.js'
import { closeQuietly } from '../io/close-with-timeout.js'
import { assertResult, isDone, isPromise } from '../io/iterator-result.js'
import { MarkedBatches, type PlacedReader } from '../io/marked-batches.js'
import {
  isIterable,
  offerBatches,
  openSource,
  type BatchReader,
  type PipelineEnd,
  type Reader,
  type Source,
} from '../io/source.js'
import { isPlainObject } from '../options.js'
import { hashOfFunction } from '../resume/code.js'
import { offerResume, type Json, type Mark, type MarkRequest, type ResumePoint } from '../resume/mark.js'

const ACTION = 'read from resumable()'

/** An item, and where the source is behind it. */
export type Positioned<T, P> = readonly [item: T, position: P]

/** What opens the data behind a position, or at the start. */
export type OpenFrom<T, P> = (from: P | undefined) => Iterable<Positioned<T, P>> | AsyncIterable<Positioned<T, P>>

/** What `resumable()` returns. Each loop over it begins at the start. */
export type Resumable<T> = AsyncIterable<T>

/**
 * A source of other data for `write(…, { resume: true })`: the rows of a database, the pages of a service. You say where
 * each item is. A run that goes on calls your function with the position of the last item that is done.
 *
 * Each item comes with its position, and the items behind a position must be the same in each run. A key by which the
 * data are sorted is a position: `where id > $1 order by id`. The number of a page is not, if items can be added before it.
 *
 * As the source of a stage without `resume`, and in a loop, it gives the items from the start.
 *
 * @param open Gets the position of the last item that is done, or undefined at the start. Gives an iterable or async
 * iterable of `[item, position]`, with the items behind that position. Positions are values of JSON. Make a new one for
 * each item: an object that changes later would name another place.
 * @throws `TypeError` at the call if `open` is not a function. When it is read, a `TypeError` (`ERR_INVALID_SOURCE`): it
 * does not give an iterable, an element is not `[item, position]`, or a position is not JSON. What `open` throws is passed
 * through.
 * @example
 * ```ts
 * import { resumable } from 'millrace'
 *
 * const rows = [{ id: 3, name: 'Ann' }, { id: 7, name: 'Bo' }]
 * const source = resumable(function* (from: number | undefined) {
 *   for (const row of rows) if (from === undefined || row.id > from) yield [row.name, row.id] as const
 * })
 * for await (const name of source) console.log(name)
 * // → Ann
 * // → Bo
 * ```
 */
export function resumable<T, P extends Position>(open: OpenFrom<T, P>): Resumable<T> {
  if (typeof open === 'function') return new ResumableSource(open as OpenFrom<unknown, unknown>) as Resumable<T>
  throw typeError(
    'ERR_INVALID_ARGUMENTS',
    `Cannot ${ACTION} as its argument must be a function (from) => iterable of [item, position]: received ${received(open)}`,
  )
}

/** A value of JSON. */
export type Position = null | boolean | number | string | readonly Position[] | { readonly [key: string]: Position }

class ResumableSource implements AsyncIterable<unknown> {
  static {
    showState(this.prototype, () => ({}), 'Resumable')
  }

  readonly #open: OpenFrom<unknown, unknown>

  constructor(open: OpenFrom<unknown, unknown>) {
    this.#open = open
    const point = new ResumablePoint(open)
    offerResume(this, point)
    offerBatches(this, () => point.open())
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, undefined, undefined> {
    for await (const pair of opened(this.#open, undefined)) yield pairOf(pair)[0]
  }
}

/** The position of the last item that is done; without one, none is. */
type Note = Readonly<{ from?: Json }>

class ResumablePoint implements ResumePoint {
  readonly source: undefined
  readonly plan: Json = { kind: 'resumable' }
  readonly #open: OpenFrom<unknown, unknown>
  #begun: { readonly request: MarkRequest; readonly note: Note } | undefined
  #batches: MarkedBatches<Note> | undefined

  constructor(open: OpenFrom<unknown, unknown>) {
    this.#open = open
  }

  code(): Promise<Readonly<Record<string, string>>> {
    return Promise.resolve({ 'function of resumable()': hashOfFunction(this.#open) })
  }

  begin(request: MarkRequest, note: Json | undefined): void {
    this.#begun = { request, note: (note ?? {}) as Note }
  }

  /** Undefined if it is read without marks: item by item. */
  open(): BatchReader | undefined {
    const begun = this.#begun
    this.#begun = undefined
    if (begun === undefined) return undefined
    const { request, note } = begun
    const batches = new PositionedBatches(openSource(opened(this.#open, note.from)), note)
    this.#batches = new MarkedBatches(batches, request, (mark, place) => {
      mark.notes.set(this, place.from === undefined ? {} : { from: storedPosition(place.from) })
    })
    return this.#batches
  }

  noteEnd(mark: Mark): void {
    this.#batches?.noteEnd(mark)
  }
}

/** Items in a batch, at the most. */
const MAX_ITEMS = 64

/** Reads pairs, and knows the position of the last one that was given. */
class PositionedBatches implements PlacedReader<Note> {
  readonly #pairs: Reader<unknown>
  #note: Note
  /** What comes behind the items that have been given: a promise, or how the pairs have ended. */
  #next: Promise<IteratorResult<unknown>> | undefined
  #end: { readonly error?: unknown } | undefined

  constructor(pairs: Reader<unknown>, note: Note) {
    this.#pairs = pairs
    this.#note = note
  }

  place(): Note {
    return this.#note
  }

  next(max: number): Batch | undefined | Promise<Batch | undefined> {
    const items: unknown[] = []
    while (this.#next === undefined && this.#end === undefined && items.length < Math.min(max, MAX_ITEMS))
      this.#read(items)
    if (items.length > 0) return new Items(items)
    if (this.#next !== undefined) return this.#await(this.#next)
    this.#assertWhole()
    return undefined
  }

  close(end?: PipelineEnd): unknown {
    return this.#pairs.close(end)
  }

  /** Takes one item, where that needs no waiting. */
  #read(items: unknown[]): void {
    try {
      const result = this.#pairs.next()
      if (isPromise(result)) this.#next = result
      else this.#take(result, items)
    } catch (error) {
      this.#end = { error }
    }
  }

  async #await(result: Promise<IteratorResult<unknown>>): Promise<Batch | undefined> {
    const items: unknown[] = []
    try {
      this.#take(await result, items)
    } catch (error) {
      this.#end = { error }
    }
    this.#next = undefined
    if (items.length > 0) return new Items(items)
    this.#assertWhole()
    return undefined
  }

  #take(result: unknown, items: unknown[]): void {
    assertResult(result)
    if (isDone(result)) this.#end = {}
    else {
      const [item, position] = this.#pairOf(result.value)
      items.push(item)
      this.#note = { from: position as Json }
    }
  }

  /** The pairs are closed if one of them is wrong. */
  #pairOf(value: unknown): Positioned<unknown, unknown> {
    try {
      return pairOf(value)
    } catch (error) {
      void closeQuietly(this.#pairs)
      throw error
    }
  }

  #assertWhole(): void {
    if (this.#end !== undefined && 'error' in this.#end) throw this.#end.error
  }
}

function opened(open: OpenFrom<unknown, unknown>, from: unknown): Source<unknown> {
  const pairs: unknown = open(from)
  if (isIterable(pairs)) return pairs
  throw invalid('its function must give an iterable or async iterable of [item, position]', pairs)
}

function pairOf(value: unknown): Positioned<unknown, unknown> {
  if (Array.isArray(value) && value.length === 2) {
    const [item, position] = value as unknown as Positioned<unknown, unknown>
    // That would be the start.
    if (position === undefined) assertPosition(position)
    return [item, position]
  }
  throw invalid('each element must be [item, position]', value)
}

/** A copy, as it is stored. */
function storedPosition(position: Json): Json {
  assertPosition(position)
  return JSON.parse(JSON.stringify(position)) as Json
}

function assertPosition(position: unknown): void {
  if (position === null || typeof position === 'string' || typeof position === 'boolean') return
  if (typeof position === 'number' && Number.isFinite(position)) return
  if (Array.isArray(position)) position.forEach(assertPosition)
  else if (isPlainObject(position)) Object.values(position).forEach(assertPosition)
  else {
    const cure = typeof position === 'bigint' || position instanceof Date ? ' (for example: String(position))' : ''
    throw invalid('each position must be a value of JSON', position, cure)
  }
}

function invalid(must: string, given: unknown, cure = ''): TypeError {
  return typeError('ERR_INVALID_SOURCE', `Cannot ${ACTION} as ${must}: received ${received(given)}${cure}`)
}
