/** The CPU time of this process, and of its threads with their context switches where the system tells it (Linux). */
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
    /** How often the main thread was stopped and another one ran, or waited; and the workers. */
    readonly mainSwitches: number
    readonly workerSwitches: number
  }
}

/** What a thread has used so far. */
interface Use {
  /** In milliseconds. */
  readonly time: number
  readonly switches: number
}

/** By the id of the thread. */
type Uses = ReadonlyMap<string, Use>

const TASKS = '/proc/self/task'
const MAIN = String(process.pid)
const NANOSECONDS_PER_MS = 1e6

export class CpuMeter {
  /** Threads of V8 and libuv. `undefined`: this system does not tell. */
  readonly #helpers: Uses | undefined
  #uses: Uses | undefined
  #usage: NodeJS.CpuUsage = process.cpuUsage()

  private constructor() {
    this.#helpers = threadUses()
  }

  /** To be called before the first worker starts: all later threads are workers. */
  static async create(): Promise<CpuMeter> {
    // The first asynchronous call starts the threads of libuv.
    await stat(process.execPath)
    return new CpuMeter()
  }

  start(): void {
    this.#uses = threadUses()
    this.#usage = process.cpuUsage()
  }

  /** Since `start()`. */
  stop(): Cpu {
    const { user, system } = process.cpuUsage(this.#usage)
    const total = (user + system) / 1_000
    const now = threadUses()
    if (now === undefined || this.#helpers === undefined) return { total }
    const threads = { main: 0, workers: 0, mainSwitches: 0, workerSwitches: 0 }
    for (const [id, { time, switches }] of now) {
      const before = this.#uses?.get(id) ?? { time: 0, switches: 0 }
      if (id === MAIN) {
        threads.main = time - before.time
        threads.mainSwitches = switches - before.switches
      } else if (!this.#helpers.has(id)) {
        threads.workers += time - before.time
        threads.workerSwitches += switches - before.switches
      }
    }
    return { total, threads }
  }
}

function threadUses(): Uses | undefined {
  try {
    return new Map(readdirSync(TASKS).map((id) => [id, { time: timeOf(id), switches: switchesOf(id) }]))
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

/** Voluntary and other ones. */
function switchesOf(id: string): number {
  const status = readFileSync(`${TASKS}/${id}/status`, 'latin1')
  return Array.from(status.matchAll(/ctxt_switches:\s*(\d+)/g), ([, count]) => Number(count)).reduce((a, b) => a + b, 0)
}
