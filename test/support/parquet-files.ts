/** Parquet files for tests: made by another writer, or of columns. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer'

/** A file that DuckDB has written: see test/fixtures/parquet/make.ts. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/parquet/${name}.parquet`, import.meta.url))
}

export class ParquetFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'millrace-parquet-'))

  constructor() {
    afterAll(() => {
      rmSync(this.path, { recursive: true })
    })
  }

  at(name: string): string {
    return join(this.path, name)
  }

  /** @returns The path. */
  bytes(name: string, bytes: Uint8Array | string): string {
    writeFileSync(this.at(name), bytes)
    return this.at(name)
  }

  /** @param rowGroupSize How many rows each row group has. @returns The path. */
  file(name: string, columnData: ColumnSource[], rowGroupSize?: number): string {
    return this.bytes(name, bytesOf(columnData, rowGroupSize))
  }

  /** Rows with a number from 0 on, and a text. */
  numbered(name: string, count: number, rowGroupSize: number): string {
    const ids = Array.from({ length: count }, (_, id) => id)
    const columns: ColumnSource[] = [
      { name: 'id', data: ids, type: 'INT32' },
      { name: 'text', data: ids.map((id) => `row ${id}`), type: 'STRING' },
    ]
    return this.file(name, columns, rowGroupSize)
  }
}

export function bytesOf(columnData: ColumnSource[], rowGroupSize?: number): Buffer {
  const options = rowGroupSize === undefined ? { columnData } : { columnData, rowGroupSize }
  return Buffer.from(parquetWriteBuffer(options))
}
