/** Outcomes of a chunk that wait to be posted together. */
import type { EncodedError } from '../codec/error-codec/types.js'
import type { JobKind } from './protocol.js'

export class Outbox {
  /** The chunk offset of the first outcome; the others follow it, unless `chunkOffsets` says where they belong. */
  readonly from: number
  readonly chunkOffsets: number[] | undefined
  readonly results: unknown[] = []
  /** How many results each item has; undefined while each has one. */
  counts: number[] | undefined
  errors: [partOffset: number, error: EncodedError][] | undefined
  /** Whether the items have one result together, and none has failed. Then there are no `counts`. */
  isFolded = false
  count = 0

  /** @param spread Whether an item may have any number of results. */
  constructor(from: number, chunkOffsets: number[] | undefined, spread: boolean) {
    this.from = from
    this.chunkOffsets = chunkOffsets
    if (spread) this.counts = []
  }

  /** An empty one for the outcomes after these. */
  next(): Outbox {
    return new Outbox(this.from + this.count, this.chunkOffsets && [], this.counts !== undefined)
  }

  /** Takes the return value of the next item's task. Of a fold it is the accumulator. */
  take(kind: JobKind, item: unknown, returned: unknown): void {
    if (kind === 'map') this.#put(returned)
    else if (kind === 'filter') this.#spread(returned ? [item] : [])
    else if (kind === 'flatMap') this.#spread(returned as readonly unknown[])
    else this.#spread([returned])
  }

  skip(): void {
    if (this.counts === undefined) this.#put(undefined)
    else this.#spread([])
  }

  /** The items up to this offset give nothing. */
  skipTo(partOffset: number): void {
    while (this.count < partOffset) this.skip()
  }

  fail(error: EncodedError): void {
    ;(this.errors ??= []).push([this.count, error])
    this.skip()
  }

  /** An item that has one result here fails. */
  failAt(partOffset: number, error: EncodedError): void {
    ;(this.errors ??= []).push([partOffset, error])
    this.results[partOffset] = undefined
  }

  /** All items of a chunk have one result together. */
  putFolded(count: number, result: unknown): void {
    this.isFolded = true
    this.counts = undefined
    this.count = count
    this.results.push(result)
  }

  /** Gives an item that gave nothing a result, the last of all. */
  insert(partOffset: number, result: unknown): void {
    if (this.counts !== undefined) this.counts[partOffset] = 1
    this.results.push(result)
  }

  #put(result: unknown): void {
    this.count++
    this.results.push(result)
  }

  #spread(results: readonly unknown[]): void {
    this.count++
    this.counts?.push(results.length)
    for (const result of results) this.results.push(result)
  }
}
