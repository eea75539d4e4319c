/** P2: counts the workers of hosts, by module. Streams whose module no host offers end after a while. */
import { faultOf } from './attempts.js'
import type { Broker } from './broker.js'
import type { Clock } from './clock.js'
import { NoHostsError } from './errors.js'
import { decodeHost } from './messages.js'
import type { Names } from './names.js'

const MIN_WORKERS = 2
/** How long hosts may take to say what they offer, in milliseconds. */
const ASK_MS = 500

/** A stream, as far as it needs workers. */
export interface CountedLane {
  readonly module: string
  /** The module as `key@version`, for errors. */
  readonly taskKey: string
  /** How many units are out. */
  out: number
  /** There may be room, or more workers. */
  advance(): void
  break(error: unknown): void
}

interface CountOptions {
  readonly broker: Broker
  readonly names: Names
  readonly clock: Clock
  readonly patience: number
}

export class WorkerCount {
  readonly #options: CountOptions
  readonly #lanes: ReadonlySet<CountedLane>
  readonly #workers = new Map<string, number>()
  /** Since when a module of open streams has had no host. */
  readonly #idleSince = new Map<string, number>()

  constructor(options: CountOptions, lanes: ReadonlySet<CountedLane>) {
    this.#options = options
    this.#lanes = lanes
  }

  of(module: string): number {
    return Math.max(MIN_WORKERS, this.#workers.get(module) ?? 0)
  }

  /** As many as were found. Undefined: they were not counted yet. */
  counted(module: string): number | undefined {
    return this.#workers.get(module)
  }

  get most(): number {
    return Math.max(MIN_WORKERS, ...this.#workers.values())
  }

  /** For all modules in use: the requests of hosts that wait, and the units that run. */
  async count(): Promise<void> {
    const used = new Set([...this.#lanes].map(({ module }) => module))
    for (const known of this.#workers.keys()) {
      if (used.has(known)) continue
      this.#workers.delete(known)
      this.#idleSince.delete(known)
    }
    for (const module of used) {
      try {
        await this.#countOf(module)
      } catch (error) {
        faultOf(error)
        // Hosts may have lost the connection, too.
        this.#idleSince.delete(module)
      }
    }
  }

  async #countOf(module: string): Promise<void> {
    const { broker, names, clock, patience } = this.#options
    const { waiting = 0, running = 0 } = (await broker.consumerState(names.tasks, module)) ?? {}
    const workers = waiting + running
    const hasMore = workers > (this.#workers.get(module) ?? 0)
    this.#workers.set(module, workers)
    const own = [...this.#lanes].filter((lane) => lane.module === module)
    const since = this.#idleSince.get(module)
    if (workers > 0) this.#idleSince.delete(module)
    else if (since === undefined) {
      this.#idleSince.set(module, clock.now())
      // Not up to one period later.
      if (patience !== Infinity) clock.after(patience + 1, () => void this.count())
    } else if (clock.now() - since >= patience) await this.#giveUp(own.filter(({ out }) => out > 0))
    if (hasMore) for (const lane of own) lane.advance()
  }

  async #giveUp(lanes: readonly CountedLane[]): Promise<void> {
    const { broker, names, patience } = this.#options
    if (lanes.length === 0) return
    const answers = await broker.ask(names.hosts, new Uint8Array(0), ASK_MS)
    const hosts = answers.map(decodeHost).filter((host) => host !== undefined)
    const offers = hosts.map(
      ({ name, group, format, modules }) =>
        `${name} (group ${group}, wire format ${format}) offers ${modules.join(', ') || 'nothing'}`,
    )
    const told = offers.length === 0 ? 'No host answered' : `Of the hosts that answered, ${offers.join('; ')}`
    for (const lane of lanes) {
      lane.break(
        new NoHostsError(`Cannot run tasks as no host has offered ${lane.taskKey} for ${patience} ms. ${told}`),
      )
    }
  }
}
