/**
 * The file that says how far a run is. It is replaced as a whole, so a crash at any time leaves the old one or the new
 * one. The texts of compressed outputs behind their last members stand in a second file beside it. That file has two
 * names in turn: the one that the checkpoint names is never written.
 */
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { Disk } from '../disk/disk.js'
import { unlessMissing } from '../disk/file-stats.js'
import { withOutputCure } from '../disk/output-error.js'
import { checkpointError } from './checkpoint-error.js'
import {
  checkpointText,
  damaged,
  parseCheckpoint,
  type Checkpoint,
  type CheckpointContent,
  type Refuse,
  type RestsFile,
} from './checkpoint-text.js'

const checkpointDisk = new Disk('checkpoint')
const restsDisk = new Disk('rests')

export class CheckpointFile {
  readonly path: string
  /** Of the checkpoint that is on disk. */
  #rests: RestsFile | null = null
  /** The first folder that was made for it; null: its folder was not looked at. */
  #madeFolder: string | undefined | null = null

  constructor(path: string) {
    this.path = path
  }

  /**
   * Undefined: there is none.
   *
   * @throws CheckpointError `ERR_CHECKPOINT_DAMAGED`, `ERR_CHECKPOINT_VERSION`. Errors of the system.
   */
  async read(): Promise<Checkpoint | undefined> {
    const text = await this.#run(() => unlessMissing(readFile(this.path, 'utf8')))
    if (text === undefined) return undefined
    const checkpoint = parseCheckpoint(text, this.#refuse)
    this.#rests = checkpoint.rests
    return checkpoint
  }

  /** The texts behind the last members, in one. @throws CheckpointError `ERR_CHECKPOINT_DAMAGED` */
  async readRests({ rests }: Checkpoint): Promise<Uint8Array> {
    if (rests === null) return new Uint8Array(0)
    const path = this.#restsPath(rests.name)
    const bytes = await this.#run(() => unlessMissing(readFile(path)))
    if (bytes?.length === rests.bytes && crc32(bytes) === rests.crc32) return bytes
    const what = bytes === undefined ? 'is missing' : 'is not as it was written'
    throw damaged(`'${path}', which belongs to it, ${what}`, this.#refuse)
  }

  /**
   * Replaces the checkpoint. Settles when the new one is safe on disk. One call at a time.
   *
   * @param rests The texts behind the last members of outputs.
   */
  publish(content: CheckpointContent, rests: readonly Uint8Array[] = []): Promise<void> {
    return this.#run(async () => {
      if (this.#madeFolder === null) this.#madeFolder = await checkpointDisk.mkdir(dirname(this.path))
      const old = this.#rests
      const own = await this.#writeRests(rests, old?.name === 0 ? 1 : 0)
      await writeWhole(checkpointDisk, this.#newPath, [Buffer.from(`${checkpointText(content, own)}\n`)])
      await checkpointDisk.rename(this.#newPath, this.path)
      await checkpointDisk.syncFoldersOf(this.path, this.#madeFolder)
      this.#madeFolder = undefined
      this.#rests = own
      if (old !== null) await restsDisk.remove(this.#restsPath(old.name))
    })
  }

  /** Removes it, and all that belongs to it. */
  remove(): Promise<void> {
    return this.#run(async () => {
      await checkpointDisk.remove(this.path)
      await checkpointDisk.syncFolder(dirname(this.path))
      await checkpointDisk.remove(this.#newPath)
      for (const name of [0, 1] as const) await restsDisk.remove(this.#restsPath(name))
      this.#rests = null
    })
  }

  /** The new checkpoint, until it is whole. */
  get #newPath(): string {
    return `${this.path}.tmp`
  }

  #restsPath(name: 0 | 1): string {
    return `${this.path}.rests-${name}`
  }

  async #writeRests(given: readonly Uint8Array[], name: 0 | 1): Promise<RestsFile | null> {
    // For zlib, no bytes begin a new checksum.
    const rests = given.filter(({ length }) => length > 0)
    const bytes = rests.reduce((sum, { length }) => sum + length, 0)
    if (bytes === 0) return null
    await writeWhole(restsDisk, this.#restsPath(name), rests)
    // Before a checkpoint names it.
    await restsDisk.syncFolder(dirname(this.path))
    return { name, bytes, crc32: rests.reduce((crc, rest) => crc32(rest, crc), 0) }
  }

  readonly #refuse: Refuse = (code, reason, cure, options) => checkpointError(this.path, code, reason, cure, options)

  async #run<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      throw withOutputCure(error, this.path)
    }
  }
}

/** Writes a file that nobody reads yet, and makes it safe. */
async function writeWhole(disk: Disk, path: string, chunks: readonly Uint8Array[]): Promise<void> {
  await disk.remove(path)
  const file = await disk.create(path)
  try {
    await file.write(chunks)
    await file.sync()
  } finally {
    await file.close()
  }
}
