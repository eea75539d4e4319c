/**
 * Reads a source to its end, and hands its items over in transactions. A transaction ends where a mark stands: all items
 * before it have their outcomes by then. Nothing is read while one is under way. If anything fails, or a signal fires, the
 * source is closed, and items without a transaction are dropped.
 */
import { offAbort, onAbort } from '../aborts.js'
import { BadRecord } from '../codec/records/record-data.js'
import type { Batch } from '../codec/batch.js'
import type { InputFiles } from '../disk/input-files.js'
import { publishFiles } from '../disk/publication.js'
import { CheckpointError } from '../errors.js'
import { closeQuietly, closeWithTimeout } from '../io/close-with-timeout.js'
import { closeUnopened, openBatches, type BatchReader, type Source } from '../io/source.js'
import { Mark } from '../resume/mark.js'
import type { Place, Positions } from '../resume/positions.js'
import { NOTHING_COMMITTED, type CommitCounts } from '../resume/run-counts.js'
import type { HeldFailures } from '../stream/failure-target.js'
import { failedItemsOf } from '../stream/origin.js'
import type { CommitPlan } from './commit-options.js'
import { abortOf, EarlyEnd, type RunSignals } from './early-end.js'

/** What a run reads, and what ends it early. */
export interface CommitSource extends RunSignals {
  readonly source: Source<unknown>
  readonly inputs: InputFiles
  /** How many bytes of the input have been read. */
  readonly bytesRead: () => number
}

export class CommitRun {
  readonly #plan: CommitPlan
  readonly #from: CommitSource
  readonly #positions: Positions
  /** They are seen when all is committed. */
  readonly #failedItems: HeldFailures | undefined
  /** When it would have begun without a stop. */
  readonly #started: number
  #reader: BatchReader | undefined
  /** Whether the source has ended or thrown, and so is not to be closed. */
  #hasSourceEnded = false
  /** Those behind the last mark. */
  #items: unknown[] = []
  /** Between the asking for a mark and its arrival. */
  #isAsked = false
  /** Of what is committed. */
  #counts: CommitCounts
  #place: Place | undefined
  readonly #early = new EarlyEnd()

  constructor(plan: CommitPlan, from: CommitSource, positions: Positions) {
    this.#plan = plan
    this.#from = from
    this.#positions = positions
    this.#failedItems = failedItemsOf(from.source)
    const { before } = positions
    this.#place = before?.place
    this.#counts = before?.counts ?? NOTHING_COMMITTED
    this.#started = performance.now() - this.#counts.duration
  }

  /** @returns What it has done, with the runs before it. */
  async run(): Promise<CommitCounts> {
    const { signals } = this.#from
    for (const signal of signals) onAbort(signal, this.#abort)
    this.#failedItems?.hold()
    const timer = setInterval(this.#ask, this.#plan.interval)
    timer.unref()
    try {
      this.#abort()
      this.#early.assertNotCome()
      await this.#publishRejects()
      await this.#positions.beginPipeline()
      this.#early.assertNotCome()
      await this.#read()
      await this.#commitRest()
      return this.#counts
    } catch (error) {
      await this.#closeSource(error)
      await this.#failedItems?.discard()
      throw error
    } finally {
      clearInterval(timer)
      for (const signal of signals) offAbort(signal, this.#abort)
    }
  }

  async #read(): Promise<void> {
    const reader = openBatches(this.#from.source)
    if (reader === undefined) throw new Error('All parts that can go on give batches')
    this.#reader = reader
    for (let batch = await this.#next(reader); batch !== undefined; batch = await this.#next(reader)) {
      if (batch instanceof Mark) await this.#commitUpTo(batch)
      else {
        this.#add(batch)
        if (this.#items.length >= this.#plan.items) this.#ask()
      }
    }
    this.#hasSourceEnded = true
  }

  /** The next batch; undefined at the end. */
  async #next(reader: BatchReader): Promise<Batch | undefined> {
    // Then a mark is asked for. What comes before it belongs to the same transaction.
    const room = this.#isAsked ? Infinity : Math.max(1, this.#plan.items - this.#items.length)
    try {
      const batch = await this.#early.unlessCome(reader.next(room))
      this.#early.assertNotCome()
      return batch
    } catch (error) {
      this.#hasSourceEnded = !this.#early.hasCome
      throw error
    }
  }

  #add(batch: Batch): void {
    for (const value of batch.values()) {
      if (value instanceof BadRecord) throw value.error
      this.#items.push(value)
    }
    batch.release()
  }

  readonly #ask = (): void => {
    if (this.#isAsked) return
    this.#isAsked = true
    this.#positions.request.ask()
  }

  async #commitUpTo(mark: Mark): Promise<void> {
    this.#isAsked = false
    const place = await this.#positions.placeAt(mark)
    // Time has passed, and nothing has come.
    if (this.#items.length === 0 && JSON.stringify(place.points) === JSON.stringify(this.#place?.points)) return
    await this.#commit(place, this.#countsAt(mark))
  }

  /** The source has ended. */
  async #commitRest(): Promise<void> {
    const mark = this.#positions.endMark()
    const counts = this.#countsAt(mark)
    const isNew = this.#items.length > 0 || counts.read !== this.#counts.read
    if (!isNew && this.#place?.state === 'complete') {
      // The inputs have nothing new. The file of failed items stays as an earlier run has made it.
      await this.#failedItems?.discard()
      return
    }
    await this.#failedItems?.release()
    await this.#commit(await this.#positions.placeAtEnd(mark), counts)
    await this.#publishRejects()
  }

  /** The files of failed items get their names once all is committed. That they have them is stored as well. */
  async #publishRejects(): Promise<void> {
    const place = this.#place
    if (place === undefined || place.rejects.length === 0) return
    await publishFiles(place.rejects, { overwrite: true, inputs: this.#from.inputs }, 'rejects')
    await this.#commit({ ...place, rejects: [] }, {})
    // No position names an unfinished file any more.
    this.#positions.request.hasCheckpoint = false
  }

  /** The figures of all that is before a mark. */
  #countsAt(mark: Mark): Partial<CommitCounts> {
    const read = this.#counts.written + this.#items.length
    return { read, ...this.#positions.figures(mark), bytesRead: this.#from.bytesRead() }
  }

  /** The items behind the last mark, and a place behind them. */
  async #commit(place: Place, figures: Partial<CommitCounts>): Promise<void> {
    this.#early.assertNotCome()
    const items = this.#items
    this.#items = []
    const before = this.#counts
    const counts = {
      ...before,
      ...figures,
      written: before.written + items.length,
      commits: before.commits + 1,
      duration: performance.now() - this.#started,
    }
    const positions = this.#positions
    const text = positions.textOf(place, counts)
    // It may be stored even if the promise rejects.
    positions.request.hasCheckpoint = true
    const context = { previous: positions.last, first: before.written }
    if ((await this.#plan.target.commit(items, text, context)) === false) throw lockedError()
    positions.last = text
    this.#place = place
    this.#counts = counts
  }

  readonly #abort = (): void => {
    const aborted = abortOf(this.#from)
    if (aborted !== undefined) this.#early.come(aborted.reason)
  }

  /** Never rejects. */
  async #closeSource(error: unknown): Promise<void> {
    if (this.#hasSourceEnded) return
    const reader = this.#reader
    const { source, pipeline } = this.#from
    const end = pipeline && { failure: { error } }
    const close = (): unknown => (reader === undefined ? closeUnopened(source, end) : reader.close(end))
    await closeQuietly({ close: () => closeWithTimeout({ close }) })
  }
}

function lockedError(): CheckpointError {
  return new CheckpointError(
    'Cannot commit results as the stored position must be that of this run: received false from commit(), ' +
      'so another run has changed it (let one run be at work at a time)',
    'ERR_CHECKPOINT_LOCKED',
  )
}
