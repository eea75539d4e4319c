/** Reads Parquet files one after the other: their footers here, and their rows where they are needed. */
import { availableParallelism } from 'node:os'
import { RowBatch } from '../codec/rows/row-batch.js'
import { noteDecoded, type RowUnit } from '../codec/rows/row-data.js'
import { isByteList, type ByteInput, type Bytes } from '../io/bytes.js'
import { located } from '../io/located.js'
import { InputMeter, type ByteCount } from '../io/input-meter.js'
import { withPathCure } from '../io/byte-source-cures.js'
import type { BatchReader, BatchUse } from '../io/source.js'

/** A file, and where its bytes are counted. */
interface RowFile {
  readonly path: string
  readonly count: ByteCount
}

export class RowReader implements BatchReader {
  readonly meter: InputMeter = new InputMeter()
  readonly #columns: readonly string[] | undefined
  /** Whether units are decoded by the workers that get them. */
  #inWorkers = false
  #files: AsyncIterator<RowFile, undefined>
  #units: readonly RowUnit[] = []
  /** The unit that is read, and how many of its rows have been given. */
  #at = 0
  #given = 0
  #file: RowFile | undefined
  #fileSize = 0
  #isClosed = false

  constructor(inputs: readonly ByteInput[], columns: readonly string[] | undefined) {
    this.#columns = columns
    const counted = inputs.map((input) =>
      isByteList(input)
        ? { input, place: this.meter.expectList(input.globs) }
        : { input, place: this.meter.add(input.path) },
    )
    this.#files = this.#filesOf(counted)
  }

  open(use: BatchUse): this {
    this.#inWorkers = use.inWorkers
    return this
  }

  /** The rows that are left of the row group at hand. */
  get unit(): number | undefined {
    const unit = this.#units[this.#at]
    return this.#inWorkers && unit !== undefined ? unit.count - this.#given : undefined
  }

  next(max: number): RowBatch | undefined | Promise<RowBatch | undefined> {
    const unit = this.#units[this.#at]
    return unit !== undefined && (this.#inWorkers || this.#given > 0) ? this.#take(unit, max) : this.#read(max)
  }

  close(): void {
    this.#isClosed = true
    this.#units = []
    this.meter.end('left')
  }

  #take(unit: RowUnit, max: number): RowBatch {
    const start = this.#given
    const count = Math.min(max, unit.count - start)
    this.#given += count
    if (this.#given === unit.count) {
      this.#given = 0
      this.#at++
      this.#count()
    }
    return new RowBatch([{ unit, start, count }])
  }

  async #read(max: number): Promise<RowBatch | undefined> {
    while (!this.#isClosed) {
      const unit = this.#units[this.#at]
      if (unit === undefined) {
        if (!(await this.#nextFile())) break
        // Its first unit is to be read as a whole: the caller may ask for it now.
        if (this.#inWorkers) return new RowBatch([])
        continue
      }
      if (this.#inWorkers) return this.#take(unit, max)
      const { decodeUnit } = await import('../parquet/reading.js')
      const rows = await decodeUnit(unit)
      if (this.#isClosed) break
      noteDecoded(unit, rows)
      return this.#take(unit, max)
    }
    if (!this.#isClosed) this.meter.end('done')
    return undefined
  }

  /** Reads the footer of the next file. @returns Whether there is one. */
  async #nextFile(): Promise<boolean> {
    this.#end()
    const { done, value: file } = await this.#files.next()
    if (done === true || this.#isClosed) return false
    this.meter.reach()
    try {
      const { codecsOf, decompressorsOf, readFooter, unitsOf } = await import('../parquet/reading.js')
      const footer = await readFooter(file.path)
      const units = unitsOf(file.path, footer, this.#columns, this.#inWorkers ? availableParallelism() : 1)
      // A package that is missing is told once, and not for each row.
      decompressorsOf(codecsOf(units))
      if (this.#isClosed) return false
      this.#file = file
      this.#fileSize = file.count.size = footer.size
      this.#units = units
      this.#at = this.#given = 0
    } catch (error) {
      this.close()
      throw located(withPathCure(error, file.path), file.path)
    }
    return true
  }

  /** As far as units have been given, their share of the file counts as read. */
  #count(): void {
    if (this.#file !== undefined)
      this.#file.count.read = Math.floor((this.#fileSize * this.#at) / Math.max(1, this.#units.length))
  }

  #end(): void {
    if (this.#file === undefined) return
    Object.assign(this.#file.count, { read: this.#fileSize, hasEnded: true })
    this.#file = undefined
  }

  async *#filesOf(
    inputs: readonly { readonly input: ByteInput; readonly place: ByteCount }[],
  ): AsyncGenerator<RowFile, undefined, undefined> {
    for (const { input, place } of inputs) {
      if (!isByteList(input)) {
        yield { path: pathOf(input), count: place }
        continue
      }
      const files = await input.list()
      const counts = this.meter.putList(
        place,
        files.map(({ path }) => path),
      )
      for (const [i, count] of counts.entries()) yield { path: pathOf(files[i]), count }
    }
  }
}

function pathOf(bytes: Bytes | undefined): string {
  return bytes?.path ?? ''
}
