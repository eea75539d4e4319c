/**
 * An output in several files: one for each partition. Only some of them are open at a time. The
 * one that was used least recently is closed, and appended to later. All files are published at the end.
 */
import { partitionError } from '../formats/format-error.js'
import { Formatted } from '../formats/formatted.js'
import type { OutputLayout } from '../formats/output-layout.js'
import { AtomicFile, type FileOptions } from './atomic-file.js'
import type { Json } from '../resume/mark.js'
import type { Compression } from './compression.js'
import { Output, type OutputSizes } from './output.js'
import { OutputsCut, restored } from './outputs-cut.js'
import type { Outputs, WrittenFile } from './outputs.js'

/** The most files that are open at a time. */
const MAX_OPEN_FILES = 256
/** There may be many of them. */
const SIZES: OutputSizes = { bufferSize: 64 * 1024, memberSize: 256 * 1024, groupSize: 1024 * 1024 }

type Partition = Output<AtomicFile>

export interface PartitionOptions extends FileOptions {
  /** The path of the file of a partition. It may throw. @param known The one that it has had in an earlier run. */
  readonly pathOf: (name: string, known?: string) => string
  readonly compression: Compression | undefined
  /** The most files that are open at a time. Default: 256. */
  readonly maxOpenFiles?: number
  /** Default: smaller than those of an output that is alone, as there may be many. */
  readonly sizes?: OutputSizes
}

export class PartitionedOutput implements Outputs {
  readonly isLive = false
  readonly #layout: OutputLayout
  readonly #options: PartitionOptions
  readonly #onFail: (error: unknown) => void
  readonly #all = new Map<string, Partition>()
  /** Those that are open: the one that was used least recently first. */
  readonly #open = new Map<string, Partition>()
  #hasFailed = false
  /** Whether a record has the column of the partitions. */
  #hasColumn = false

  constructor(layout: OutputLayout, options: PartitionOptions, onFail: (error: unknown) => void) {
    this.#layout = layout
    this.#options = options
    this.#onFail = (error) => {
      this.#hasFailed = true
      onFail(error)
    }
  }

  /** `add()` waits for room itself. */
  readonly isFull = false

  get records(): number {
    let records = 0
    for (const { records: own } of this.#all.values()) records += own.count
    return records
  }

  get bytes(): number {
    let bytes = 0
    for (const { buffered } of this.#all.values()) bytes += buffered.written
    return bytes
  }

  get files(): WrittenFile[] {
    return [...this.#all.values()].map(({ target, buffered, records }) => ({
      path: target.path,
      records: records.count,
      bytes: buffered.written,
    }))
  }

  restore(state: Json, rests: Uint8Array): void {
    const { layout, hasColumn, outputs, rests: own } = restored(state, rests)
    this.#layout.restore(layout)
    this.#hasColumn = hasColumn
    for (const [place, output] of outputs.entries()) {
      this.#create(output.name, output.path).restore(output, own[place] ?? new Uint8Array(0))
    }
  }

  /** Files are opened when their first records come. Those of an earlier run are checked now. */
  async open(): Promise<void> {
    for (const { target } of this.#all.values()) {
      await target.open()
      await target.suspend()
    }
    await this.#options.created?.removeOthers(new Set([...this.#all.values()].map(({ target }) => target.part)))
  }

  async add(records: Formatted): Promise<void> {
    if (records.length === 0) return
    this.#hasColumn ||= records.partitions?.hasColumn === true
    this.#assertColumn(false)
    for (const [name, own] of grouped(records)) {
      const { records: output } = await this.#partition(name)
      output.add(own)
      while (output.isFull && !this.#hasFailed) await output.room()
      if (this.#hasFailed) return
    }
  }

  async room(): Promise<void> {
    // See `isFull`.
  }

  async flush(): Promise<void> {
    // Nobody reads the files before the end.
  }

  cut(): OutputsCut {
    return new OutputsCut(
      this.#layout,
      this.#hasColumn,
      Array.from(this.#all.values(), (output) => output.cut()),
    )
  }

  /** Those that are open come first: each is closed before one of the others is opened again. */
  async drain(): Promise<void> {
    if (this.#all.size > 0) this.#assertColumn(true)
    for (const { records, target } of new Set([...this.#open.values(), ...this.#all.values()])) {
      await records.drain()
      if (this.#hasFailed) return
      await target.finish()
    }
  }

  async finish(): Promise<void> {
    // All of them are finished.
  }

  async publish(): Promise<void> {
    // If one cannot be published, none is.
    for (const { target } of this.#all.values()) await target.check()
    for (const { target } of this.#all.values()) await target.publish()
  }

  async discard(error: unknown): Promise<void> {
    this.#hasFailed = true
    for (const { buffered } of this.#all.values()) await buffered.discard(error)
    await this.#options.created?.close()
  }

  /** A column that no record has is taken for a wrong name. @param isEnd Whether there are no more records. */
  #assertColumn(isEnd: boolean): void {
    const { columns, format } = this.#layout
    const column = format.partition
    if (column === undefined) return
    const isMissing = columns === undefined ? isEnd && !this.#hasColumn : !columns.includes(column)
    if (isMissing) throw partitionError(column, columns)
  }

  async #partition(name: string): Promise<Partition> {
    const known = this.#all.get(name)
    const partition = known ?? this.#create(name)
    const isOpen = this.#open.delete(name)
    this.#open.set(name, partition)
    if (isOpen) return partition
    const [oldest] = this.#open
    if (this.#open.size > (this.#options.maxOpenFiles ?? MAX_OPEN_FILES) && oldest !== undefined) {
      this.#open.delete(oldest[0])
      await suspend(oldest[1])
    }
    await (known === undefined ? partition.target.open() : partition.target.resume())
    return partition
  }

  #create(name: string, known?: string): Partition {
    const { pathOf, compression, sizes = SIZES } = this.#options
    const file = new AtomicFile(pathOf(name, known), this.#options)
    const partition = new Output(file, this.#layout, { ...sizes, compression, onFail: this.#onFail, name })
    this.#all.set(name, partition)
    return partition
  }
}

/** Writes what it holds, and closes its file for a while. A member that is not whole is kept. */
async function suspend({ body, target }: Partition): Promise<void> {
  await body.flush()
  await target.suspend()
}

/** The records of each partition, in their order. */
function grouped(records: Formatted): [name: string, own: Formatted][] {
  const { partitions = { names: [''], of: new Uint32Array(records.length) }, bytes, ends } = records
  const { names, of } = partitions
  if (names.length === 1) return [[names[0] ?? '', records]]
  const sizes = new Uint32Array(names.length)
  for (let record = 0; record < records.length; record++)
    sizes[of[record] ?? 0] += (ends[record] ?? 0) - (ends[record - 1] ?? 0)
  const groups = names.map((name, place) => ({
    name,
    bytes: new Uint8Array(sizes[place] ?? 0),
    ends: [] as number[],
    size: 0,
  }))
  for (let record = 0; record < records.length; record++) {
    const group = groups[of[record] ?? 0]
    if (group === undefined) continue
    const own = bytes.subarray(ends[record - 1] ?? 0, ends[record])
    group.bytes.set(own, group.size)
    group.size += own.length
    group.ends.push(group.size)
  }
  return groups
    .filter(({ ends }) => ends.length > 0)
    .map(({ name, bytes: own, ends }) => [name, new Formatted(own, ends)])
}
