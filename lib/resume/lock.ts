/**
 * A file that says that a run is at work, so that a second one does not write the same outputs. It names its process.
 * One whose process is gone counts for nothing. On another host that cannot be told, so there it counts until it is
 * removed.
 */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { Disk, type DiskFile } from '../disk/disk.js'
import { unlessMissing } from '../disk/file-stats.js'
import { withOutputCure } from '../disk/output-error.js'
import { checkpointError } from './checkpoint-error.js'
import { birthOf, isAlive, systemTime, wasHere } from './process-birth.js'

interface Holder {
  readonly pid: number
  readonly host: string
  /** When it took the lock, for people: the clock may have been set since. */
  readonly since: string
  /** The same by `systemTime()`. */
  readonly time?: number | undefined
  /** See `process-birth.ts`. */
  readonly birth?: string | undefined
  /** The thread that took it, see `HELD`, and the name of this taking. */
  readonly thread?: string | undefined
  readonly id?: string | undefined
}

interface HeldLocks {
  readonly thread: string
  readonly ids: Set<string>
}

/**
 * The locks that this thread has taken and not given back. The file of one that was given back stays if it cannot be
 * removed. Each thread has one such place, with its name, for all copies of this library.
 */
const HELD: unique symbol = Symbol.for('millrace.heldLocks')
const { thread: THREAD, ids: held } = ((globalThis as { [HELD]?: HeldLocks })[HELD] ??= {
  thread: randomUUID(),
  ids: new Set<string>(),
})

const disk = new Disk('lock')
/** Between taking away the lock of a process that is gone, and taking it. */
const TAKEOVER_SUFFIX = '.takeover'
/** How long a lock without content is waited for, in milliseconds: its process is about to write it, or is gone. */
const EMPTY_WAIT_MS = 500
const EMPTY_INTERVAL_MS = 20

export class RunLock {
  readonly #path: string
  readonly #id: string

  private constructor(path: string, id: string) {
    this.#path = path
    this.#id = id
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
      const id = await create(path)
      if (id === undefined) return new RunLock(path, await takeOver(path, target))
      const lock = new RunLock(path, id)
      await lock.#removeTakeover()
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

  /** Gives it back. Never rejects: a lock that stays is that of a run that is gone. */
  async release(): Promise<void> {
    await disk.remove(this.#path).catch(noop)
    held.delete(this.#id)
  }
}

/** @returns The name of this taking; undefined if there is a lock. */
async function create(path: string): Promise<string | undefined> {
  const { pid } = process
  const id = randomUUID()
  const since = new Date().toISOString()
  const time = systemTime()
  const holder: Holder = { pid, host: hostname(), since, time, birth: await birthOf(pid), thread: THREAD, id }
  const file = await createFile(path)
  if (file === undefined) return undefined
  held.add(id)
  try {
    await file.write([Buffer.from(`${JSON.stringify(holder)}\n`)])
    await file.close()
    return id
  } catch (error) {
    held.delete(id)
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

/** Takes the lock of a run that is gone. Of several that try, one does it. @returns The name of this taking. */
async function takeOver(path: string, target: string): Promise<string> {
  await assertGone(path, target)
  const own = path + TAKEOVER_SUFFIX
  let takeover = await create(own)
  if (takeover === undefined) {
    await assertGone(own, target)
    await disk.remove(own)
    takeover = await create(own)
    if (takeover === undefined) throw await lockedError(own, target)
  }
  let id: string | undefined
  try {
    // Another one may have taken it meanwhile. One that is missing now may be taken at any time, without this file.
    if (await assertGone(path, target)) await disk.remove(path)
    id = await create(path)
    if (id === undefined) throw await lockedError(path, target)
    return id
  } finally {
    held.delete(takeover)
    // While this run has the lock, nobody needs it. The next one that takes the lock removes it.
    await disk.remove(own).catch(noop)
  }
}

/** Throws if the process of a lock is at work, or may be. @returns Whether there is the lock of one that is gone. */
async function assertGone(path: string, target: string): Promise<boolean> {
  const holder = await holderOf(path)
  if (holder === 'none') return false
  if (holder !== 'unknown' && !(await isGone(holder))) throw lockedBy(holder, path, target)
  return true
}

async function isGone({ pid, host, birth, time, thread, id }: Holder): Promise<boolean> {
  if (host !== hostname()) return false
  const isOwn = pid === process.pid && thread === THREAD && id !== undefined
  const known = await birthOf(pid)
  if (birth !== undefined && known !== undefined && birth !== known) return true
  if (isOwn) return !held.has(id)
  if (!isAlive(pid)) return true
  // Of an earlier process with the number of this one, as in a container that is started again.
  return pid === process.pid && time !== undefined && !wasHere(time)
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
    const { pid, host, since, time, birth, thread, id } = Object(JSON.parse(text)) as Partial<Holder>
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof since !== 'string') return undefined
    return { pid, host, since, time: typeof time === 'number' ? time : undefined, birth, thread, id }
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
