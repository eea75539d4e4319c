/**
 * A file that says that a run is at work, so that a second one does not write the same outputs. It names its process.
 * One whose process is gone counts for nothing. On another host that cannot be told, so there it counts until it is
 * removed.
 */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { Disk, type DiskFile } from '../disk/disk.js'
import { unlessMissing } from '../disk/file-stats.js'
import { withOutputCure } from '../disk/output-error.js'
import { checkpointError } from './checkpoint-error.js'
import { birthOf, isAlive } from './process-birth.js'

interface Holder {
  readonly pid: number
  readonly host: string
  /** When it took the lock. */
  readonly since: string
  /** See `process-birth.ts`. */
  readonly birth?: string | undefined
}

const disk = new Disk('lock')
/** Between taking away the lock of a process that is gone, and taking it. */
const TAKEOVER_SUFFIX = '.takeover'
/** How long a lock without content is waited for, in milliseconds: its process is about to write it, or is gone. */
const EMPTY_WAIT_MS = 500
const EMPTY_INTERVAL_MS = 20

export class RunLock {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /**
   * Takes a lock.
   *
   * @param path Of its file.
   * @param target What is locked, for the error.
   * @throws CheckpointError `ERR_CHECKPOINT_LOCKED`: another run has it, in this process or another one.
   */
  static async take(path: string, target: string): Promise<RunLock> {
    try {
      await disk.mkdir(dirname(path))
      const lock = new RunLock(path)
      if (await create(path)) await lock.#removeTakeover()
      else await takeOver(path, target)
      return lock
    } catch (error) {
      throw withOutputCure(error, path)
    }
  }

  /** Removes what a process has left that was killed while it took the lock over. While this run has the lock, nobody needs it. */
  async #removeTakeover(): Promise<void> {
    const left = this.#path + TAKEOVER_SUFFIX
    try {
      const holder = await holderOf(left)
      if (holder !== 'none' && (holder === 'unknown' || (await isGone(holder)))) await disk.remove(left)
    } catch (error) {
      await this.release()
      throw error
    }
  }

  /** Gives it back. Never rejects: a lock that stays is that of a process that is gone. */
  async release(): Promise<void> {
    await disk.remove(this.#path).catch(noop)
  }
}

/** @returns False if there is one. */
async function create(path: string): Promise<boolean> {
  const { pid } = process
  const holder: Holder = { pid, host: hostname(), since: new Date().toISOString(), birth: await birthOf(pid) }
  const file = await createFile(path)
  if (file === undefined) return false
  try {
    await file.write([Buffer.from(`${JSON.stringify(holder)}\n`)])
    await file.close()
    return true
  } catch (error) {
    await file.close().catch(noop)
    await disk.remove(path).catch(noop)
    throw error
  }
}

/** Undefined: there is one. */
async function createFile(path: string): Promise<DiskFile | undefined> {
  try {
    return await disk.create(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined
    throw error
  }
}

/** Takes the lock of a process that is gone. Of several that try, one does it. */
async function takeOver(path: string, target: string): Promise<void> {
  await assertGone(path, target)
  const own = path + TAKEOVER_SUFFIX
  if (!(await create(own))) {
    await assertGone(own, target)
    await disk.remove(own)
    if (!(await create(own))) throw await lockedError(own, target)
  }
  try {
    // Another one may have taken it meanwhile. One that is missing now may be taken at any time, without this file.
    if (await assertGone(path, target)) await disk.remove(path)
    if (!(await create(path))) throw await lockedError(path, target)
  } finally {
    await disk.remove(own)
  }
}

/** Throws if the process of a lock is at work, or may be. @returns Whether there is the lock of one that is gone. */
async function assertGone(path: string, target: string): Promise<boolean> {
  const holder = await holderOf(path)
  if (holder === 'none') return false
  if (holder !== 'unknown' && !(await isGone(holder))) throw lockedBy(holder, path, target)
  return true
}

async function isGone({ pid, host, birth, since }: Holder): Promise<boolean> {
  if (host !== hostname()) return false
  const known = await birthOf(pid)
  if (birth !== undefined && known !== undefined) return birth !== known
  if (!isAlive(pid)) return true
  // Of an earlier process with the number of this one, as in a container that is started again.
  return pid === process.pid && Date.parse(since) < performance.timeOrigin
}

/** Unknown: its process has ended before it could write it. */
async function holderOf(path: string): Promise<Holder | 'none' | 'unknown'> {
  for (let waited = 0; ; waited += EMPTY_INTERVAL_MS) {
    const text = await unlessMissing(readFile(path, 'utf8'))
    if (text === undefined) return 'none'
    const holder = parse(text)
    if (holder !== undefined) return holder
    if (waited >= EMPTY_WAIT_MS) return 'unknown'
    await new Promise((resolve) => setTimeout(resolve, EMPTY_INTERVAL_MS))
  }
}

/** Undefined: it is not whole. */
function parse(text: string): Holder | undefined {
  try {
    const { pid, host, since, birth } = Object(JSON.parse(text)) as Partial<Holder>
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof since !== 'string') return undefined
    return { pid, host, since, birth }
  } catch {
    return undefined
  }
}

async function lockedError(path: string, target: string): Promise<Error> {
  const holder = await holderOf(path)
  return typeof holder === 'string' ? locked(path, target, 'another run has begun') : lockedBy(holder, path, target)
}

function lockedBy({ pid, host, since }: Holder, path: string, target: string): Error {
  const isOwn = pid === process.pid && host === hostname()
  const who = isOwn ? 'another run of this process' : `the process ${pid} on the host '${host}'`
  return locked(path, target, `${who} has been at work on it since ${since}`)
}

function locked(path: string, target: string, reason: string): Error {
  return checkpointError(target, 'ERR_CHECKPOINT_LOCKED', reason, `wait for its end; if it is gone, remove '${path}'`)
}

function noop(): void {
  // A lock that stays is that of a process that is gone, or soon will be.
}
