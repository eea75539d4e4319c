/** The CPU time of this process, and of its threads where the system tells it (Linux). */
import { stat } from 'node:fs/promises'
import { readdirSync, readFileSync } from 'node:fs'

/** User and system time in milliseconds. */
export interface Cpu {
  /** Of all threads. */
  readonly total: number
  /** Missing on systems without `/proc/self/task`. */
  readonly threads?: {
    readonly main: number
    /** The threads that were started after Node's own: of a pool, or by hand. */
    readonly workers: number
  }
}

/** By the id of the thread. */
type Times = ReadonlyMap<string, number>

const TASKS = '/proc/self/task'
const MAIN = String(process.pid)
const NANOSECONDS_PER_MS = 1e6

export class CpuMeter {
  /** Threads of V8 and libuv. `undefined`: this system does not tell. */
  readonly #helpers: Times | undefined
  #times: Times | undefined
  #usage: NodeJS.CpuUsage = process.cpuUsage()

  private constructor() {
    this.#helpers = threadTimes()
  }

  /** To be called before the first worker starts: all later threads are workers. */
  static async create(): Promise<CpuMeter> {
    // The first asynchronous call starts the threads of libuv.
    await stat(process.execPath)
    return new CpuMeter()
  }

  start(): void {
    this.#times = threadTimes()
    this.#usage = process.cpuUsage()
  }

  /** Since `start()`. */
  stop(): Cpu {
    const { user, system } = process.cpuUsage(this.#usage)
    const total = (user + system) / 1_000
    const now = threadTimes()
    if (now === undefined || this.#helpers === undefined) return { total }
    let [main, workers] = [0, 0]
    for (const [id, time] of now) {
      const spent = time - (this.#times?.get(id) ?? 0)
      if (id === MAIN) main = spent
      else if (!this.#helpers.has(id)) workers += spent
    }
    return { total, threads: { main, workers } }
  }
}

/** The CPU time of each thread so far, in milliseconds. */
function threadTimes(): Times | undefined {
  try {
    return new Map(readdirSync(TASKS).map((id) => [id, timeOf(id)]))
  } catch (error) {
    // ESRCH: a thread ended while it was read.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** `schedstat` begins with the time in nanoseconds. `stat` would have it in ticks of 10 ms. */
function timeOf(id: string): number {
  const [nanoseconds = ''] = readFileSync(`${TASKS}/${id}/schedstat`, 'latin1').split(' ')
  return Number(nanoseconds) / NANOSECONDS_PER_MS
}
