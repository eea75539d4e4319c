/** Tries single items again, each as a separate chunk. In an ordered stream, the outcomes behind such an item are held until it has one. */
import { Items, type Batch } from '../codec/batch.js'
import type { Fifo } from '../fifo.js'
import type { Chunk, Part } from './executor.js'
import type { RetryQueue } from './retry-queue.js'

/** A chunk with items that are tried again. */
interface Open {
  readonly chunk: Chunk
  /** Its items, decoded. */
  items: readonly unknown[] | undefined
  /** Records instead, which may outlive those of the chunk. */
  records: Batch | undefined
  /** Outcomes that were not given to the stream, in the order of the items. */
  readonly held: Set<Held>
  /** Its last part, when that has come: the figures of it go with the part that is given last. */
  ended: Part | undefined
}

/** Some outcomes, or the place of an item whose outcome is not known. */
interface Held {
  part?: Part
}

/** An item that is tried again. */
interface Again {
  readonly open: Open
  readonly held: Held
  readonly chunkOffset: number
  /** How often it has failed. */
  readonly failures: number
}

export class ItemRetries {
  readonly #queue: RetryQueue
  readonly #parts: Fifo<Part>
  readonly #ordered: boolean
  readonly #open = new WeakMap<Chunk, Open>()
  /** By the chunks that were made here. */
  readonly #again = new WeakMap<Chunk, Again>()

  /** @param parts For the stream to take. */
  constructor(queue: RetryQueue, parts: Fifo<Part>, ordered: boolean) {
    this.#queue = queue
    this.#parts = parts
    this.#ordered = ordered
  }

  accept(part: Part): void {
    const again = this.#again.get(part.chunk)
    if (again === undefined) this.#onFirst(part)
    else if (part.count > 0) this.#onAgain(again, part)
  }

  /** Outcomes of items that were tried for the first time. */
  #onFirst(part: Part): void {
    const { chunk, from, chunkOffsets, last } = part
    const failed = this.#retriable(part, 1)
    if (this.#queue.isClosed) return
    let open = this.#open.get(chunk)
    if (open === undefined) {
      if (failed.length === 0) {
        this.#parts.push(part)
        return
      }
      open = { chunk, items: undefined, records: undefined, held: new Set(), ended: undefined }
      this.#open.set(chunk, open)
    }
    if (last) open.ended = part
    for (const [i, piece] of withoutItems(part, failed).entries()) {
      if (piece.count > 0) open.held.add({ part: piece })
      const partOffset = failed[i]
      if (partOffset === undefined) continue
      const held: Held = {}
      open.held.add(held)
      this.#tryAgain({ open, held, chunkOffset: chunkOffsets?.[partOffset] ?? from + partOffset, failures: 1 })
    }
    if (open.held.size === 0) this.#give(open, { part })
    else this.#giveDue(open, open.held)
  }

  /** The outcome of an item that was tried again. */
  #onAgain({ open, held, chunkOffset, failures }: Again, part: Part): void {
    const failed = part.errors !== undefined
    const attempts = failures + 1
    const again = this.#retriable(part, attempts).length > 0
    if (this.#queue.isClosed) return
    if (again) {
      this.#tryAgain({ open, held, chunkOffset, failures: attempts })
      return
    }
    const of = { chunk: open.chunk, from: chunkOffset, chunkOffsets: undefined }
    held.part = { ...part, ...of, attempts: failed ? new Map([[0, attempts]]) : undefined }
    this.#giveDue(open, this.#ordered ? open.held : [held])
  }

  /** Gives the stream the outcomes that are known; in an ordered stream, up to the first one that is not. */
  #giveDue(open: Open, all: Iterable<Held>): void {
    for (const held of all) {
      if (held.part !== undefined) this.#give(open, held)
      else if (this.#ordered) return
    }
  }

  #give(open: Open, held: Held): void {
    const { ended } = open
    open.held.delete(held)
    const last = ended !== undefined && open.held.size === 0
    if (held.part === undefined) return
    if (last) open.records?.release()
    const { time, bytes, resultBytes } = ended ?? {}
    this.#parts.push({ ...held.part, last, time, bytes, resultBytes })
  }

  /** The part offsets of those items that are to be tried again, in order. */
  #retriable({ errors, isFault }: Part, attempts: number): number[] {
    if (errors === undefined || isFault === true) return []
    const partOffsets = [...errors.keys()].filter((partOffset) =>
      this.#queue.isRetriable(errors.get(partOffset), attempts),
    )
    return partOffsets.sort((one, other) => one - other)
  }

  /** One item. A record stays encoded: it knows its place. */
  #itemOf(open: Open, chunkOffset: number): Batch {
    const { items } = open.chunk
    if (items.isShared === true) {
      open.records ??= items.slice(0, items.length)
      return open.records.slice(chunkOffset, chunkOffset + 1)
    }
    open.items ??= items.values()
    return new Items([open.items[chunkOffset]])
  }

  #tryAgain(again: Again): void {
    const { open, chunkOffset, failures } = again
    const chunk: Chunk = { first: open.chunk.first + chunkOffset, items: this.#itemOf(open, chunkOffset) }
    this.#again.set(chunk, again)
    this.#queue.retried++
    this.#queue.submitLater(chunk, failures)
  }
}

/** A part without some of its outcomes: the pieces before, between and after them. */
function withoutItems(part: Part, partOffsets: readonly number[]): Part[] {
  if (partOffsets.length === 0) return [part]
  const { from, chunkOffsets, count, counts, errors } = part
  const results = part.results.values()
  const pieces: Part[] = []
  let start = 0
  let next = 0
  for (const end of [...partOffsets, count]) {
    const own = counts?.slice(start, end)
    const first = next
    next += own === undefined ? end - start : own.reduce((sum, n) => sum + n, 0)
    pieces.push({
      ...part,
      from: from + start,
      chunkOffsets: chunkOffsets?.slice(start, end),
      count: end - start,
      results: new Items(results.slice(first, next)),
      counts: own,
      errors: errors && between(errors, start, end),
      failedItems: part.failedItems && between(part.failedItems, start, end),
    })
    // Where each item has one result, a failed one has a placeholder.
    if (counts === undefined) next++
    start = end + 1
  }
  return pieces
}

/** The errors, or the items, of some of the outcomes. */
function between(
  all: ReadonlyMap<number, unknown>,
  start: number,
  end: number,
): ReadonlyMap<number, unknown> | undefined {
  const own = new Map<number, unknown>()
  for (let partOffset = start; partOffset < end; partOffset++) {
    if (all.has(partOffset)) own.set(partOffset - start, all.get(partOffset))
  }
  return own.size > 0 ? own : undefined
}
