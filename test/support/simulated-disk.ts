/**
 * A disk that forgets what was not synced, when the power fails. It watches the steps of a run on real files, and knows of
 * each change whether it is safe. Then it puts files into the folder as the disk may have them: with all that is safe,
 * and with any of the other changes. It is as strict as POSIX allows: the sync of a file does not make its name safe, and
 * changes survive in any selection.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Step } from '#dist/disk/steps.js'

/** How much of a change survives that is not safe. */
export type Survival = 'none' | 'half' | 'all'

/** Bytes that are written at a place, or the length that a file is cut to. */
interface DataChange {
  readonly at: number
  /** Undefined: it is cut. */
  readonly bytes?: Buffer
}

/** A file, whatever its names. */
class Inode {
  safe: Buffer
  /** With all changes. */
  length: number
  readonly changes: DataChange[] = []

  constructor(safe: Buffer) {
    this.safe = safe
    this.length = safe.length
  }

  add(bytes: Buffer): void {
    this.changes.push({ at: this.length, bytes })
    this.length += bytes.length
  }

  truncate(length: number): void {
    this.changes.push({ at: length })
    this.length = length
  }

  /** The first changes become safe. */
  sync(count: number): void {
    for (const { at, bytes } of this.changes.splice(0, count)) this.safe = changed(this.safe, { at, bytes })
  }

  /** What may be there after the power has failed. */
  after(survival: () => Survival): Buffer {
    return this.changes.reduce((data, { at, bytes }) => {
      const much = survival()
      if (much === 'none') return data
      return changed(data, { at, bytes: much === 'half' ? bytes?.subarray(0, bytes.length / 2) : bytes })
    }, this.safe)
  }
}

/** Bytes that were never written are zeros. */
function changed(data: Buffer, { at, bytes }: { readonly at: number; readonly bytes: Buffer | undefined }): Buffer {
  const size = bytes === undefined ? at : Math.max(data.length, at + bytes.length)
  const result = Buffer.alloc(size)
  data.copy(result)
  bytes?.copy(result, at)
  return result
}

type Names = Map<string, Inode | 'folder'>

/** A change of names in one folder. */
interface NameChange {
  readonly folder: string
  readonly apply: (names: Names) => void
}

export class SimulatedDisk {
  readonly #root: string
  #names: Names = new Map()
  #safeNames: Names = new Map()
  #changes: NameChange[] = []

  /** @param root The folder. What is in it now is safe. */
  constructor(root: string) {
    this.#root = root
    this.#look()
  }

  /** Takes a step. For `watchSteps()`. */
  async take(step: Step, run: () => Promise<unknown>): Promise<unknown> {
    const call = step.name.slice(step.name.indexOf('.') + 1)
    // What is written while it is synced is not safe.
    const inode = this.#names.get(step.path)
    const data = inode instanceof Inode ? inode.changes.length : 0
    const names = this.#changes.length
    const result = await run()
    if (call === 'sync' || call === 'datasync') {
      if (inode instanceof Inode) inode.sync(data)
    } else if (call === 'syncFolder') this.#syncFolder(step.path, names)
    else this.#note(call, step)
    return result
  }

  /** @param survival Asked for each change that is not safe. */
  failPower(survival: () => Survival): void {
    const names = new Map(this.#safeNames)
    for (const { apply } of this.#changes) if (survival() !== 'none') apply(names)
    const data = new Map<Inode, Buffer>()
    for (const inode of names.values()) {
      if (inode instanceof Inode && !data.has(inode)) data.set(inode, inode.after(survival))
    }
    const written = new Map<Inode, string>()
    rmSync(this.#root, { recursive: true, force: true })
    mkdirSync(this.#root)
    for (const [path, entry] of [...names].sort(([one], [other]) => (one < other ? -1 : 1))) {
      // Without its folder, it cannot be found.
      if (!existsSync(dirname(path))) continue
      if (entry === 'folder') {
        mkdirSync(path)
        continue
      }
      const other = written.get(entry)
      if (other === undefined) writeFileSync(path, data.get(entry) ?? '')
      else linkSync(other, path)
      written.set(entry, path)
    }
    this.#look()
  }

  #note(call: string, { path, to = '', bytes = [], length = 0 }: Step): void {
    const inode = this.#names.get(path)
    switch (call) {
      case 'mkdir':
        this.#makeFolders(path)
        return
      case 'create':
        this.#change(path, setting(path, new Inode(Buffer.alloc(0))))
        return
      case 'link':
        if (inode !== undefined) this.#change(to, setting(to, inode))
        return
      case 'unlink':
        this.#change(path, (names) => {
          if (names.get(path) === inode) names.delete(path)
        })
        return
      case 'rename':
        this.#change(to, (names) => {
          if (names.get(path) === inode) names.delete(path)
          if (inode !== undefined) names.set(to, inode)
        })
        return
      case 'write':
        if (inode instanceof Inode) inode.add(Buffer.concat(bytes))
        return
      case 'truncate':
        if (inode instanceof Inode) inode.truncate(length)
        return
      case 'chmod':
        return
      default:
        throw new Error(`The simulated disk does not know '${call}'`)
    }
  }

  #change(path: string, apply: NameChange['apply']): void {
    apply(this.#names)
    this.#changes.push({ folder: dirname(path), apply })
  }

  #makeFolders(path: string): void {
    if (path === this.#root || this.#names.has(path) || !path.startsWith(this.#root)) return
    this.#makeFolders(dirname(path))
    this.#change(path, setting(path, 'folder'))
  }

  /** The first changes in a folder become safe. */
  #syncFolder(folder: string, count: number): void {
    this.#changes = this.#changes.filter((change, at) => {
      const isSafe = at < count && change.folder === folder
      if (isSafe) change.apply(this.#safeNames)
      return !isSafe
    })
  }

  /** Takes all that is there for safe. */
  #look(): void {
    this.#names = new Map()
    // Those of several names are one.
    const inodes = new Map<number, Inode>()
    for (const entry of readdirSync(this.#root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (entry.isDirectory()) {
        this.#names.set(path, 'folder')
        continue
      }
      const { ino } = statSync(path)
      const inode = inodes.get(ino) ?? new Inode(readFileSync(path))
      inodes.set(ino, inode)
      this.#names.set(path, inode)
    }
    this.#safeNames = new Map(this.#names)
    this.#changes = []
  }
}

function setting(path: string, entry: Inode | 'folder'): NameChange['apply'] {
  return (names) => {
    names.set(path, entry)
  }
}
