/** A folder for the files of one test file, and a look at what stands in it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Folder {
  readonly path: string
  /** The path of a name in it. */
  at(...names: string[]): string
  read(...names: string[]): string
  /** All files in it, with their folders, sorted. */
  files(...names: string[]): string[]
}

/** It is removed after the tests of the file, and empty before each of them. */
export function useFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'millrace-sinks-'))
  const at = (...names: string[]): string => join(path, ...names)
  beforeEach(() => {
    rmSync(path, { recursive: true, force: true })
    mkdirSync(path)
  })
  afterAll(() => {
    rmSync(path, { recursive: true, force: true })
  })
  return {
    path,
    at,
    read: (...names) => readFileSync(at(...names), 'utf8'),
    files: (...names) =>
      readdirSync(at(...names), { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(at(...names).length + 1))
        .sort(),
  }
}
