/**
 * Posts the outcomes of a chunk in parts: when the chunk ends, and earlier when outcomes have waited for a while. It
 * does so after an item, and by a timer while an item is awaited. Only a synchronous item can delay that.
 */
import { assertPackedApart } from '../codec/apart.js'
import { areRows, withNotes, pack, cloneEach, type Packed } from '../codec/codec.js'
import type { EncodedError } from '../codec/error-codec/types.js'
import { rowAt } from '../codec/rows/row-data.js'
import { takeTransfers, type TransferList } from '../codec/transfer-list.js'
import { attempt } from '../errors.js'
import { beginEncoding, endEncoding } from './cells.js'
import { ReuseCheck } from '../reuse.js'
import type { RunningChunk } from './chunk.js'
import { milliseconds } from './milliseconds.js'
import { changedResultError } from './expand.js'
import { formatPart } from './format-part.js'
import { Outbox } from './outbox.js'
import type { PartDetails } from './protocol.js'

/** How long an outcome may wait for others to be posted with it. A post costs a few microseconds. */
const FLUSH_DELAY_MS = 4
/** While items take less than this together, the clock is read after more and more of them, … */
const MIN_CLOCK_INTERVAL_MS = 0.25
/** … at most this many: a slow item may come at any time, and earlier outcomes should not wait for the others. */
const MAX_STRIDE = 8

const FOLDED: PartDetails = { isFolded: true }

export class Poster {
  /** Where outcomes are put, for the next part. Each post puts a new one here: do not keep it across an `await`. */
  outbox: Outbox
  readonly #chunk: RunningChunk
  /** Of the results in the outbox: they are copied when they are posted. */
  readonly #reuse = new ReuseCheck()
  #started: number
  #hasBegun = false
  #sent: number
  /** How many items until the clock is read, how many from one reading to the next, and when it was read last. */
  #untilClock = 1
  #stride = 1
  #clockRead: number
  #timer: NodeJS.Timeout | undefined

  constructor(chunk: RunningChunk) {
    this.#chunk = chunk
    this.outbox = new Outbox(chunk.start, undefined, chunk.job.kind !== 'map')
    this.#started = milliseconds()
    this.#clockRead = this.#started
    this.#sent = chunk.flushFirst ? -Infinity : this.#started
  }

  /**
   * The chunk begins to run, or its rows begin to be read. The time before was spent on loading its task, and does not
   * count. Only the first call says when.
   */
  begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    this.#started = milliseconds()
  }

  /** Outcomes will not come in the order of the items: outboxes from now on have their `chunkOffsets`. */
  scatter(): void {
    this.outbox = new Outbox(0, [], this.#chunk.job.kind !== 'map')
  }

  /**
   * Puts what the task returned for the next item into the outbox.
   *
   * @param hasMore Whether other results may come before that is posted.
   */
  take(item: unknown, returned: unknown, chunkOffset: number, hasMore: boolean): void {
    const { outbox } = this
    const { kind } = this.#chunk.job
    const isCopiedLater =
      kind === 'map' && typeof returned === 'object' && returned !== null && (hasMore || outbox.count > 0)
    if (isCopiedLater && this.#reuse.isChanged(returned)) this.#failChanged(returned, chunkOffset)
    else outbox.take(kind, item, returned)
  }

  /** A task has changed a result that waits to be posted, and returned it again: neither can be told from the other. */
  #failChanged(returned: object, chunkOffset: number): void {
    const { outbox } = this
    const { from, chunkOffsets, results } = outbox
    const error = changedResultError(returned)
    for (let before = outbox.count - 1; ReuseCheck.isSame(results[before], returned); before--) {
      outbox.failAt(before, this.#chunk.encodeError(error, chunkOffsets?.[before] ?? from + before))
    }
    this.failed(this.#chunk.encodeError(error, chunkOffset))
  }

  failed(error: EncodedError): void {
    this.outbox.fail(error)
    this.#untilClock = 1
  }

  /** After an item of those that run in turn. The last part is left to `post()`. */
  postIfDue(hasMore: boolean): void {
    if (--this.#untilClock === 0 && this.#isDueByClock() && hasMore) this.post(false)
  }

  /** Posts the outcomes now or after `FLUSH_DELAY_MS`. */
  postSoon(): void {
    if (this.#isDue(milliseconds())) this.post(false)
    else
      this.#timer ??= setTimeout(() => {
        this.post(false)
      }, FLUSH_DELAY_MS)
  }

  /** @param fault The error of every item that has no outcome yet, if none was unpacked. */
  post(last: boolean, fault?: EncodedError): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { from, chunkOffsets, count, counts, results, errors, isFolded } = this.outbox
    if (count === 0 && !last) return
    this.outbox = this.outbox.next()
    this.#reuse.clear()
    this.#sent = milliseconds()
    const { seq, host, job, track } = this.#chunk
    const time = this.#sent - this.#started
    const isSimple = (chunkOffsets ?? counts ?? errors ?? fault) === undefined
    const details = isFolded
      ? FOLDED
      : isSimple
        ? undefined
        : {
            chunkOffsets,
            counts: counts && Uint32Array.from(counts),
            ...this.#failed(from, chunkOffsets, errors),
            fault,
            isUnread: fault && true,
          }
    const { cells } = host
    beginEncoding(cells, chunkOffsets?.[0] ?? from, count, job.timeout !== undefined)
    track?.()
    const lists = takeTransfers(results)
    try {
      if (job.format !== undefined) {
        const { records, errors: all } = formatPart(job.format, this.#chunk, {
          from,
          chunkOffsets,
          results,
          counts,
          errors,
        })
        const { data, transfer, bytes } = records.send()
        const isPlain = (all ?? counts ?? details) === undefined
        const own = isPlain
          ? undefined
          : { ...details, counts: counts && Uint32Array.from(counts), ...this.#failed(from, chunkOffsets, all) }
        // Records take as long to format as items to run.
        const wholeTime = milliseconds() - this.#started
        host.post([seq, from, count, last, wholeTime, bytes, data, own], transfer)
        return
      }
      if (lists === undefined) {
        try {
          const packed = pack(results)
          const { data, transfer, bytes, isForThreads } = host.track === undefined ? packed : assertPackedApart(packed)
          const all = isForThreads === true ? { ...details, isForThreads } : details
          host.post([seq, from, count, last, time, bytes, data, all], transfer)
          return
        } catch {
          // One of the results cannot be sent: the others are, below.
        }
      }
      const { data, transfer, bytes, ...cloned } = this.#cloneEach(from, count, details ?? {}, results, lists)
      // An accumulator that cannot be sent is not the failure of one item: what the others made of it is lost with it.
      const [lost] = job.kind === 'reduce' ? cloned.errors.slice(errors?.length ?? 0) : []
      if (lost !== undefined) {
        host.post([seq, from, 0, true, time, 0, [], { fault: lost[1] }], [])
        return
      }
      const failed = this.#failed(from, chunkOffsets, cloned.errors)
      host.post(
        [seq, from, count, last, time, bytes, data, { ...details, ...cloned, ...failed, isForThreads: true }],
        transfer,
      )
    } finally {
      endEncoding(cells)
      // After the last part the chunk ends, which is tracked.
      if (!last) track?.()
    }
  }

  /** The errors of items, with the items themselves if these are rows, which the pool has not read. */
  #failed(
    from: number,
    chunkOffsets: readonly number[] | undefined,
    errors: PartDetails['errors'],
  ): Pick<PartDetails, 'errors' | 'failedItems'> {
    const { data } = this.#chunk
    if (errors === undefined || errors.length === 0 || !areRows(data)) return { errors }
    const rows = errors.map(([partOffset]) =>
      attempt(() => rowAt(data.segments, chunkOffsets?.[partOffset] ?? from + partOffset)),
    )
    return { errors, failedItems: pack(rows).data }
  }

  /** As `#isDue()`, for short items. Reading the clock can cost more than an item: it is read after several. */
  #isDueByClock(): boolean {
    const now = milliseconds()
    this.#stride = now - this.#clockRead < MIN_CLOCK_INTERVAL_MS ? Math.min(2 * this.#stride, MAX_STRIDE) : 1
    this.#untilClock = this.#stride
    this.#clockRead = now
    return this.#isDue(now)
  }

  /** An error that ends the stream is due at once. */
  #isDue(now: number): boolean {
    return now - this.#sent >= FLUSH_DELAY_MS || (this.#chunk.job.stopOnError && this.outbox.errors !== undefined)
  }

  /** Results that can be cloned, with the buffers that are moved, and errors for the items whose results cannot. */
  #cloneEach(
    from: number,
    count: number,
    { chunkOffsets, counts, errors, isFolded }: PartDetails,
    results: readonly unknown[],
    lists: readonly (TransferList | undefined)[] | undefined,
  ): Packed & { counts: PartDetails['counts']; errors: NonNullable<PartDetails['errors']> } {
    const owners = counts && [...counts].flatMap((count, partOffset) => new Array<number>(count).fill(partOffset))
    const ownerOf = (i: number): number => (isFolded === true ? count - 1 : (owners?.[i] ?? i))
    const indexOf = (i: number): number => this.#chunk.first + (chunkOffsets?.[ownerOf(i)] ?? from + ownerOf(i))
    const moves = lists && ((i: number) => lists[i])
    const { values, notes, refused, transfer, bytes } = cloneEach(
      'result',
      results,
      indexOf,
      moves,
      this.#chunk.host.track === undefined,
    )
    const failed = new Map(refused.map(([i, error]) => [ownerOf(i), error]))
    const all = [...(errors ?? []), ...failed]
    if (counts === undefined) return { data: withNotes(values, notes), transfer, bytes, counts, errors: all }
    const sent = values.filter((_, i) => !failed.has(ownerOf(i)))
    return {
      data: withNotes(sent, notes),
      transfer,
      bytes,
      counts: counts.map((count, partOffset) => (failed.has(partOffset) ? 0 : count)),
      errors: all,
    }
  }
}
