/**
 * The bytes of a Parquet file on their way to its target. Rows are collected as bytes until a row group is full. Then they
 * become columns, and their chunks go to the file. Where a row group ends depends on its rows alone, and so do the bytes.
 */
import type { PackedLayout } from '../formats/packed-layout.js'
import type { CutBody } from './body.js'
import type { BufferedOutput } from './buffered-output.js'
import { ParquetColumns } from './parquet-columns.js'
import { parquetPackage } from './parquet-package.js'

/** A row group with this many bytes of rows is full, before it has all its rows. */
export const ROW_GROUP_SIZE: number = 32 * 1024 * 1024

export class ParquetBody implements CutBody {
  readonly #output: BufferedOutput
  readonly #layout: PackedLayout
  readonly #name: string
  readonly #maxSize: number
  #columns: ParquetColumns | undefined
  #pieces: Uint8Array[] = []
  #count = 0
  #size = 0

  /** @param name Of the partition, or empty. @param maxSize A row group with this many bytes of rows is full. */
  constructor(output: BufferedOutput, layout: PackedLayout, name: string, maxSize: number) {
    this.#output = output
    this.#layout = layout
    this.#name = name
    this.#maxSize = maxSize
  }

  get isFull(): boolean {
    return this.#output.isFull
  }

  add(bytes: Uint8Array, ends: ArrayLike<number>): void {
    let from = 0
    for (let row = 0, start = 0; row < ends.length; row++) {
      const end = ends[row] ?? 0
      this.#count++
      this.#size += end - start
      start = end
      if (this.#count < this.#layout.format.rowGroup && this.#size < this.#maxSize) continue
      this.#pieces.push(bytes.subarray(from, end))
      from = end
      this.#writeGroup()
    }
    if (from < bytes.length) this.#pieces.push(bytes.subarray(from))
  }

  room(): Promise<void> {
    return this.#output.room()
  }

  /** Rows that are not a whole group are kept. */
  flush(): Promise<void> {
    return this.#output.drain()
  }

  drain(): Promise<void> {
    if (this.#count > 0) this.#writeGroup()
    this.#output.add(this.#file.finish())
    return this.#output.drain()
  }

  cut(): never {
    throw new Error('A Parquet file ends with a footer, and cannot be cut')
  }

  restore(): never {
    return this.cut()
  }

  get #file(): ParquetColumns {
    return (this.#columns ??= new ParquetColumns(
      parquetPackage(),
      this.#layout.columnsOf(this.#name),
      this.#layout.types,
    ))
  }

  #writeGroup(): void {
    const count = this.#count
    this.#output.add(this.#file.write(this.#takeRows(), count))
  }

  #takeRows(): Buffer {
    const rows = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#count = 0
    this.#size = 0
    return rows
  }
}
