/** The lines of an input as batches: here their ends are found, elsewhere they are decoded. */
import { RecordBatch } from '../codec/records/record-batch.js'
import type { FileIdentity } from '../resume/identity.js'
import type { LineInput } from './line-input.js'
import type { LineScanner } from './line-scanner.js'
import type { InputsReader } from './inputs-point.js'
import type { InputsPlace } from './text-place.js'

export class LineBatches implements InputsReader {
  readonly #input: LineInput
  readonly #scanner: LineScanner
  #closed = false
  #stopWaiting: (() => void) | undefined

  constructor(input: LineInput, scanner: LineScanner) {
    this.#input = input
    this.#scanner = scanner
  }

  /** The next lines of the block at hand; those of the next block if there are none. */
  next(max: number): RecordBatch | undefined | Promise<RecordBatch | undefined> {
    if (this.#scanner.isEmpty) {
      const block = this.#input.take()
      if (block === undefined) return this.#readOn(max)
      this.#scanner.feed(block, this.#input.place)
    }
    return this.#cut(max)
  }

  /** A `next()` that is pending gives undefined. Settles when the source is closed, or after a second. */
  close(): Promise<void> {
    this.#end()
    this.#stopWaiting?.()
    return this.#input.close()
  }

  place(): InputsPlace {
    return this.#input.placeOf(this.#scanner.next)
  }

  goOn(place: InputsPlace, known: readonly FileIdentity[]): Promise<readonly string[]> {
    this.#input.countSkipped(place.skipped ?? 0)
    return this.#input.sources.goOn(place, known)
  }

  identities(place: InputsPlace): Promise<readonly FileIdentity[]> {
    return this.#input.sources.identities(place)
  }

  #readOn(max: number): Promise<RecordBatch | undefined> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = () => {
        resolve(undefined)
      }
      this.#read(max).then(resolve, reject)
    })
  }

  async #read(max: number): Promise<RecordBatch | undefined> {
    try {
      const block = await this.#input.read()
      if (block !== undefined && !this.#closed) {
        this.#scanner.feed(block, this.#input.place)
        return this.#cut(max)
      }
    } catch (error) {
      this.#end()
      throw error
    }
    this.#end()
    return undefined
  }

  #cut(max: number): RecordBatch | undefined {
    const segment = this.#scanner.cut(max)
    if (segment === undefined) return undefined
    this.#input.count(segment.count)
    return new RecordBatch([segment])
  }

  #end(): void {
    this.#closed = true
    this.#scanner.close()
  }
}
