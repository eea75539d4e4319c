/**
 * Reads a source to its end and writes its records. Nothing is read while the output is full. If anything fails, or the
 * signal fires, the source is closed, and the unfinished output is removed.
 */
import { offAbort, onAbort } from '../aborts.js'
import { Formatted } from '../formats/formatted.js'
import { openFormatted } from '../formats/offer.js'
import { OutputLayout } from '../formats/output-layout.js'
import { RecordFormatter } from '../formats/record-formatter.js'
import { closeQuietly, closeWithTimeout } from '../io/close-with-timeout.js'
import { assertResult, isDone, isPromise } from '../io/iterator-result.js'
import { closeUnopened, openBatches, openSource, type BatchReader, type Reader, type Source } from '../io/source.js'
import { isThenable } from '../thenable.js'
import type { HeldFailures } from '../stream/failure-target.js'
import { failedItemsOf } from '../stream/origin.js'
import type { Batch } from '../codec/batch.js'
import { Mark } from '../resume/mark.js'
import { BadRecord } from '../codec/records/record-data.js'
import type { Checkpoints } from '../resume/checkpoints.js'
import { abortOf, EarlyEnd, type RunSignals } from './early-end.js'
import type { Outputs } from './outputs.js'
import { ReaderLeft } from './target.js'

/** How long values may be taken from a source that is always ready, in milliseconds, before timers and signals get a turn. */
const READ_SLICE_MS = 5
/** How many values are taken between two looks at the clock. */
const CLOCK_INTERVAL = 64
/** Records that are formatted on this thread go on when they are about this long, in bytes. */
const MIN_BATCH_LENGTH = 64 * 1024

/** An opened source: by batches of formatted records, by batches of values, or by values. */
type Opened =
  { readonly formatted: BatchReader } | { readonly batches: BatchReader } | { readonly items: Reader<unknown> }

export class WriteRun {
  /** How many values were read, by earlier runs, too. */
  read: number
  readonly outputs: Outputs
  readonly #source: Source<unknown>
  /** They are seen after the output. */
  readonly #failedItems: HeldFailures | undefined
  readonly #signals: RunSignals
  readonly #layout: OutputLayout
  readonly #formatter: RecordFormatter
  /** Set if a later run can go on where this one is. */
  readonly #checkpoints: Checkpoints | undefined
  /** Set if it was aborted: settles when its last checkpoint is made, or that has taken too long. It has failed then. */
  #ending: { readonly settled: Promise<void>; readonly reason: unknown } | undefined
  #opened: Opened | undefined
  /** Whether the source has ended or thrown, and so is not to be closed. */
  #hasSourceEnded = false
  readonly #early = new EarlyEnd()

  /** @param createOutputs Makes the outputs. Its function is called when one of them fails. */
  constructor(
    source: Source<unknown>,
    signals: RunSignals,
    layout: OutputLayout,
    createOutputs: (onFail: (error: unknown) => void) => Outputs,
    checkpoints?: Checkpoints,
  ) {
    this.#checkpoints = checkpoints
    this.read = checkpoints?.before.read ?? 0
    this.#source = source
    this.#failedItems = failedItemsOf(source)
    this.#signals = signals
    this.#layout = layout
    this.#formatter = new RecordFormatter(layout.format, layout.partitionOf)
    this.outputs = createOutputs(this.fail)
  }

  /** @returns Whether all was written. False: the reader of the standard output has left. */
  async run(): Promise<boolean> {
    const { signals } = this.#signals
    for (const signal of signals) onAbort(signal, this.#abort)
    this.#failedItems?.hold()
    try {
      this.#abort()
      this.#early.assertNotCome()
      await this.#checkpoints?.beginPipeline()
      this.#opened = this.#open()
      await this.#openOutputs()
      await this.#readAll(this.#opened)
      await this.#early.unlessCome(this.outputs.drain())
      this.#early.assertNotCome()
      await this.#early.unlessCome(this.outputs.finish())
      this.#early.assertNotCome()
      if (this.#checkpoints === undefined) await this.outputs.publish()
      await this.#failedItems?.release()
      return true
    } catch (error) {
      await this.#end(error)
      if (!(error instanceof ReaderLeft)) throw error
      await this.#failedItems?.release()
      return false
    } finally {
      for (const signal of signals) offAbort(signal, this.#abort)
    }
  }

  #open(): Opened {
    // A function that gives the partition stays on this thread, and so do the records.
    const formatted = this.#layout.partitionOf === undefined ? openFormatted(this.#source, this.#layout) : undefined
    if (formatted !== undefined) return { formatted }
    const batches = openBatches(this.#source)
    // Marks come in batches alone. All parts that can pass them on give batches.
    return batches === undefined ? { items: openSource(this.#source) } : { batches }
  }

  /** A file that is being made would be left behind. A pipe is opened when its reader comes. */
  async #openOutputs(): Promise<void> {
    const opening = this.outputs.open()
    await (this.outputs.isLive ? this.#early.unlessCome(opening) : opening)
    this.#early.assertNotCome()
  }

  async #readAll(opened: Opened): Promise<void> {
    if ('formatted' in opened) await this.#readFormatted(opened.formatted)
    else if ('batches' in opened) await this.#readBatches(opened.batches)
    else await this.#readItems(opened.items)
    this.#hasSourceEnded = true
    // No mark comes any more.
    if (this.#ending !== undefined) this.fail(this.#ending.reason)
  }

  /** The stream has settled the records. */
  async #readFormatted(reader: BatchReader): Promise<void> {
    for (let batch = await this.#fromSource(reader); batch !== undefined; batch = await this.#fromSource(reader)) {
      if (batch instanceof Mark) await this.#takeMark(batch)
      else await this.#addFormatted(batch)
      this.#checkpoints?.marks.readOn()
    }
  }

  /** All records before it have been added. */
  async #takeMark(mark: Mark): Promise<void> {
    await this.#checkpoints?.take(mark, () => this.outputs.cut())
    if (this.#ending === undefined) return
    await this.#ending.settled
    this.#early.assertNotCome()
  }

  async #addFormatted(batch: Batch): Promise<void> {
    this.read += batch.length
    const adding = this.outputs.add(Formatted.of(batch))
    if (adding !== undefined) await adding
    if (this.outputs.isFull) await this.#room()
  }

  async #readBatches(reader: BatchReader): Promise<void> {
    for (let batch = await this.#fromSource(reader); batch !== undefined; batch = await this.#fromSource(reader)) {
      this.#checkpoints?.marks.readOn()
      if (batch instanceof Mark) {
        await this.#takeMark(batch)
        continue
      }
      const isByFile = this.#layout.format.byFile === true
      for (const [position, value] of batch.values().entries()) {
        const waiting = this.#take(value, isByFile ? batch.fileOf?.(position) : undefined)
        if (waiting !== undefined) await waiting
      }
      batch.release()
      await this.#write()
    }
  }

  /** The next batch; undefined at the end. */
  async #fromSource(reader: BatchReader): Promise<Batch | undefined> {
    try {
      const batch = await this.#early.unlessCome(reader.next(Infinity))
      this.#early.assertNotCome()
      return batch
    } catch (error) {
      this.#hasSourceEnded = !this.#early.hasCome
      throw error
    }
  }

  /** Awaits only what is a promise. */
  async #readItems(reader: Reader<unknown>): Promise<void> {
    let sliceEnd = performance.now() + READ_SLICE_MS
    for (;;) {
      const given = this.#nextItem(reader)
      const result = isPromise(given) ? await given : given
      if (isDone(result)) break
      const waiting = this.#take(result.value)
      if (waiting !== undefined) await waiting
      if (this.read % CLOCK_INTERVAL === 0 && performance.now() > sliceEnd) {
        await nextTurn()
        this.#early.assertNotCome()
        sliceEnd = performance.now() + READ_SLICE_MS
      }
    }
    this.#hasSourceEnded = true
    await this.#write()
  }

  #nextItem(reader: Reader<unknown>): IteratorResult<unknown> | Promise<IteratorResult<unknown>> {
    let result: IteratorResult<unknown> | Promise<IteratorResult<unknown>>
    try {
      result = reader.next()
      if (!isPromise(result)) assertResult(result)
    } catch (error) {
      this.#hasSourceEnded = true
      throw error
    }
    if (isPromise(result)) return this.#awaitItem(result)
    if (isDone(result) || reader.givesPromises !== true || !isThenable(result.value)) return result
    return this.#awaitValue(result.value)
  }

  async #awaitItem(given: PromiseLike<IteratorResult<unknown>>): Promise<IteratorResult<unknown>> {
    const promise = Promise.resolve(given)
    // It may reject while the output is waited for.
    promise.catch(noop)
    // The source may take long: what there is goes on.
    await this.#write()
    try {
      const result = await this.#early.unlessCome(promise)
      this.#early.assertNotCome()
      assertResult(result)
      return result
    } catch (error) {
      this.#hasSourceEnded = !this.#early.hasCome
      throw error
    }
  }

  /** A value that is a promise. If it rejects, the source is closed, as `for await` does it. */
  async #awaitValue(value: PromiseLike<unknown>): Promise<IteratorResult<unknown>> {
    const promise = Promise.resolve(value)
    promise.catch(noop)
    await this.#write()
    const settled = await this.#early.unlessCome(promise)
    this.#early.assertNotCome()
    return { done: false, value: settled }
  }

  /** Formats a value. @returns A promise if the output must be waited for. */
  #take(value: unknown, file?: string): Promise<void> | undefined {
    if (value instanceof BadRecord) throw value.error
    this.#formatter.add(value, this.read++, file)
    return this.#formatter.length >= MIN_BATCH_LENGTH ? this.#write() : undefined
  }

  /** Hands over the records that were formatted here, and waits while the output is full. */
  async #write(): Promise<void> {
    if (this.#formatter.count === 0) return
    const adding = this.outputs.add(this.#formatted())
    if (adding !== undefined) await adding
    await this.#room()
  }

  /** The records that were formatted here. Throws the error of the first one that does not fit the output. */
  #formatted(): Formatted {
    const first = this.read - this.#formatter.count
    const { records, errors } = this.#layout.settle(this.#formatter.take(), (record) => first + record)
    const [error] = errors?.values() ?? []
    if (error !== undefined) throw error
    return records
  }

  /** Waits while the output is full. */
  async #room(): Promise<void> {
    while (this.outputs.isFull && !this.#early.hasCome) await this.#early.unlessCome(this.outputs.room())
    this.#early.assertNotCome()
  }

  /** Ends the run with an error. */
  readonly fail = (error: unknown): void => {
    this.#early.come(error)
  }

  readonly #abort = (): void => {
    const aborted = abortOf(this.#signals)
    if (aborted === undefined) return
    const { reason } = aborted
    if (this.#checkpoints === undefined || this.#opened === undefined) this.fail(reason)
    else if (this.#ending === undefined) {
      const settled = this.#checkpoints.marks.last().then(() => {
        this.fail(reason)
      })
      this.#ending = { settled, reason }
    }
  }

  /** Closes the source, and removes or ends the outputs. Never rejects. */
  async #end(error: unknown): Promise<void> {
    this.#checkpoints?.marks.stop()
    const closing = this.#closeSource(error)
    await this.#checkpoints?.settle()
    // A reader of a stream gets what comes before an error of the source.
    if (this.outputs.isLive && !this.#early.hasCome) await closeQuietly({ close: () => this.#flush() })
    await this.outputs.discard(error)
    await closing
    if (!(error instanceof ReaderLeft)) await this.#failedItems?.discard()
  }

  async #flush(): Promise<void> {
    await this.outputs.add(this.#formatted())
    await closeWithTimeout({ close: () => this.outputs.flush() })
  }

  async #closeSource(error: unknown): Promise<void> {
    if (this.#hasSourceEnded) return
    const [reader] = Object.values(this.#opened ?? {}) as (BatchReader | Reader<unknown>)[]
    const end = this.#signals.pipeline && { failure: error instanceof ReaderLeft ? undefined : { error } }
    const close = (): unknown => (reader === undefined ? closeUnopened(this.#source, end) : reader.close(end))
    await closeQuietly({ close: () => closeWithTimeout({ close }) })
  }
}

function noop(): void {
  // It is told where the promise is awaited.
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
