/** The files that are read, by what they are and not by their names: an output must not be one of them. */
import type { BigIntStats } from 'node:fs'
import { statOf } from './file-stats.js'

export class InputFiles {
  readonly #paths: () => readonly string[]
  /** The path of each file, by device and number. */
  readonly #known = new Map<string, string>()
  readonly #looked = new Set<string>()

  /** @param paths Those that are known now. Lists of files become known when they are reached. */
  constructor(paths: () => readonly string[]) {
    this.#paths = paths
  }

  /** The path of the input that a file is; undefined if it is none. Each input is looked up once. */
  async find(file: BigIntStats): Promise<string | undefined> {
    for (const path of this.#paths()) {
      if (this.#looked.has(path)) continue
      this.#looked.add(path)
      // An input that cannot be found is told by its reader.
      const stats = await statOf(path).catch(() => undefined)
      if (stats !== undefined) this.#known.set(identity(stats), path)
    }
    return this.#known.get(identity(file))
  }
}

function identity({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}
