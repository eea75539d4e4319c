/**
 * An output in several files: one for each partition. Only some of them are open at a time. The
 * one that was used least recently is closed, and appended to later. All files are published at the end.
 */
import { partitionError } from '../formats/format-error.js'
import { Formatted } from '../formats/formatted.js'
import type { OutputLayout } from '../formats/output-layout.js'
import { AtomicFile, type FileOptions } from './atomic-file.js'
import { PlainBody, type Body } from './body.js'
import { BufferedOutput } from './buffered-output.js'
import type { Compression } from './compression.js'
import { CompressedBody } from './members.js'
import type { Outputs, WrittenFile } from './outputs.js'
import { RecordOutput } from './record-output.js'

/** The most files that are open at a time. */
const MAX_OPEN_FILES = 256
/** There may be many of them. */
const BUFFER_SIZE = 64 * 1024
const MEMBER_SIZE = 256 * 1024

interface Partition {
  readonly file: AtomicFile
  readonly output: BufferedOutput
  readonly body: Body
  readonly records: RecordOutput
}

export interface PartitionOptions extends FileOptions {
  /** The path of the file of a partition. It may throw. */
  readonly pathOf: (name: string) => string
  readonly compression: Compression | undefined
  /** The most files that are open at a time. Default: 256. */
  readonly maxOpenFiles?: number
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
    for (const { output } of this.#all.values()) bytes += output.written
    return bytes
  }

  get files(): WrittenFile[] {
    return [...this.#all.values()].map(({ file, output, records }) => ({
      path: file.path,
      records: records.count,
      bytes: output.written,
    }))
  }

  async open(): Promise<void> {
    // Files are opened when their first records come.
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

  /** Those that are open come first: each is closed before one of the others is opened again. */
  async drain(): Promise<void> {
    if (this.#all.size > 0) this.#assertColumn(true)
    for (const { records, file } of new Set([...this.#open.values(), ...this.#all.values()])) {
      await records.drain()
      if (this.#hasFailed) return
      await file.finish()
    }
  }

  async finish(): Promise<void> {
    // All of them are finished.
  }

  async publish(): Promise<void> {
    for (const { file } of this.#all.values()) await file.publish()
  }

  async discard(error: unknown): Promise<void> {
    this.#hasFailed = true
    for (const { output } of this.#all.values()) await output.discard(error)
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
    await (known === undefined ? partition.file.open() : partition.file.resume())
    return partition
  }

  #create(name: string): Partition {
    const { pathOf, compression } = this.#options
    const file = new AtomicFile(pathOf(name), this.#options)
    const output = new BufferedOutput(file, this.#onFail, BUFFER_SIZE)
    const body =
      compression === undefined
        ? new PlainBody(output)
        : new CompressedBody(output, compression, this.#onFail, MEMBER_SIZE)
    const partition = { file, output, body, records: new RecordOutput(this.#layout, body, name) }
    this.#all.set(name, partition)
    return partition
  }
}

/** Writes what it holds, and closes its file for a while. A member that is not whole is kept. */
async function suspend({ body, file }: Partition): Promise<void> {
  await body.flush()
  await file.suspend()
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
