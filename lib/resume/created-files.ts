/**
 * A list of the unfinished files that a run has made, beside its checkpoint. A run that goes on removes those that the
 * checkpoint does not name: the earlier run has made them after it. It is not synced. If a crash of the system loses some
 * names, the run makes the same files anew, as it gets the same records.
 */
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Disk, type DiskFile } from '../disk/disk.js'
import { unlessMissing } from '../disk/file-stats.js'

const SUFFIX = '.created'
const disk = new Disk('created')
const outputDisk = new Disk('output')

export class CreatedFiles {
  readonly #path: string
  #file: Promise<DiskFile> | undefined

  /** @param checkpoint The path of the checkpoint. */
  constructor(checkpoint: string) {
    this.#path = checkpoint + SUFFIX
  }

  /** Before a file is made. */
  async note(path: string): Promise<void> {
    this.#file ??= this.#open()
    // The end of the line before may be missing: its writer was killed.
    await (await this.#file).write([Buffer.from(`\n${JSON.stringify(path)}\n`)])
  }

  /** Removes the files of an earlier run, except those that the checkpoint names. */
  async removeOthers(known: ReadonlySet<string>): Promise<void> {
    for (const path of await this.#read()) if (!known.has(path)) await outputDisk.remove(path)
  }

  /** Ends the list. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await (await file?.catch(() => undefined))?.close()
  }

  /** Removes the list. */
  async remove(): Promise<void> {
    await this.close()
    await disk.remove(this.#path)
  }

  async #open(): Promise<DiskFile> {
    await disk.mkdir(dirname(this.#path))
    try {
      return await disk.create(this.#path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      return await disk.append(this.#path)
    }
  }

  async #read(): Promise<Set<string>> {
    const text = (await unlessMissing(readFile(this.#path, 'utf8'))) ?? ''
    return new Set(text.split('\n').flatMap(pathsIn))
  }
}

/** The path that a line names. None, if it is not a whole line. */
function pathsIn(line: string): string[] {
  try {
    const path: unknown = JSON.parse(line)
    return typeof path === 'string' ? [path] : []
  } catch {
    return []
  }
}
