/** The executor of a cluster: chunks run on hosts. `remote-lane.ts` makes units of them. */
import { PoolClosedError, typeError } from '../errors.js'
import type { Grain, Job, Lane, LaneClient, PoolExecutor } from '../executor/executor.js'
import { chunkAgain } from '../log/cluster-events.js'
import type { WorkerEvent } from '../log/events.js'
import type { TaskName } from '../task.js'
import { encodeValues } from '../wire/data.js'
import { assertMayStart } from '../worker/guard.js'
import type { Broker } from './broker.js'
import { systemClock, type Clock } from './clock.js'
import { watchConnection } from './connection-watch.js'
import { Names, type NameOptions } from './names.js'
import { Producer, type ProducerOptions } from './producer.js'
import { RemoteLane } from './remote-lane.js'
import { taskKey } from './task-key.js'
import type { Compression } from './unit-message.js'

/** How long a chunk should take for each worker of a cluster, in milliseconds; but no less than `MIN_GRAIN_MS`. */
const GRAIN_MS_PER_WORKER = 0.5
const MIN_GRAIN_MS = 20
const GRAIN_BYTES = 256 * 1024
/** How many workers of hosts have a number here. */
const MAX_NUMBERED = 100_000

export interface RemoteOptions extends NameOptions, Pick<ProducerOptions, 'name' | 'maxBytes' | 'patience'> {
  readonly broker: Broker
  /** The version of all modules. Default: a hash of each file. */
  readonly version?: string | undefined
  /** The URLs of modules that are named by hand, by their keys. */
  readonly modules?: ReadonlyMap<string, string> | undefined
  /** Gives the trace that a stream belongs to. Called for each unit, in the async context of its stream. */
  readonly traceparent?: (() => unknown) | undefined
  /** How units and their results are compressed. Default: not. */
  readonly compression?: Compression | undefined
  readonly clock?: Clock | undefined
}

export class RemoteExecutor implements PoolExecutor {
  readonly producer: Producer
  readonly #options: RemoteOptions
  readonly #taskKeys = new Map<string, string>()
  readonly #workers: WorkerEvent[] = []
  readonly #numbers = new Map<string, number>()
  #closing: Promise<void> | undefined

  constructor(options: RemoteOptions) {
    this.#options = options
    const { namespace, group, broker, clock = systemClock } = options
    const member = { role: 'producer', namespace, group } as const
    this.producer = new Producer({
      ...options,
      names: new Names(options),
      clock,
      onAgain: ({ lane: { task }, of: { chunk }, start, count, again }) => {
        chunkAgain(member, { task, index: chunk.first + start, items: count, times: again + 1 })
      },
    })
    watchConnection(broker, clock, member, () => this.producer.isOpen)
  }

  /** How many slots hosts have, as far as that is known: at least 2. */
  get workers(): number {
    return this.producer.workers
  }

  get grain(): Grain {
    const time = Math.max(MIN_GRAIN_MS, GRAIN_MS_PER_WORKER * this.workers)
    return { time, bytes: GRAIN_BYTES, windowBytes: this.#options.maxBytes }
  }

  assertOpen(): void {
    if (this.#closing === undefined) return
    throw new PoolClosedError(
      `Cannot use cluster '${this.#options.name}' as it is closed: make a new Cluster`,
      'ERR_POOL_CLOSED',
    )
  }

  /** Lets open streams finish. @returns When the last one has ended, and the connection is closed. */
  close(): Promise<void> {
    this.#closing ??= this.producer.closed()
    return this.#closing
  }

  /** Ends open streams with an error. */
  terminate(error: Error): Promise<void> {
    const closed = this.close()
    this.producer.breakAll(error)
    return closed
  }

  identify(worker: number): WorkerEvent {
    return this.#workers[worker - 1] ?? { name: `worker-${worker}`, pid: -1, pool: this.#options.name, worker }
  }

  /**
   * @throws PoolClosedError. NotSerializableError: the initial accumulator of a fold cannot be sent. TypeError `ERR_INVALID_OPTION`: the
   *   job moves buffers. `ERR_INVALID_TASK`: hosts cannot know its module.
   */
  open(job: Job, client: LaneClient): Lane {
    this.assertOpen()
    assertMayStart()
    const { name, transfer, kind, initial } = job
    if (name === undefined) throw new Error('A job for a cluster needs the name of its task')
    if (transfer !== undefined) {
      throw typeError(
        'ERR_INVALID_OPTION',
        "Cannot open a stream on a cluster as buffers cannot be moved to other machines: leave out 'transfer'",
      )
    }
    if (kind === 'reduce') encodeValues([initial])
    const lane = new RemoteLane(
      this.producer,
      { ...job, name },
      {
        client,
        taskKey: this.#taskKeyOf(name),
        traceparent: this.#options.traceparent,
        compression: this.#options.compression,
        numberOf: (host, worker) => this.#numberOf(host, worker),
      },
    )
    this.producer.join(lane)
    return lane
  }

  /** The file is read once: it may change while the program runs. */
  #taskKeyOf({ module }: TaskName): string {
    let known = this.#taskKeys.get(module)
    if (known === undefined) {
      const { modules = [], version } = this.#options
      const [key] = [...modules].find(([, url]) => url === module) ?? []
      known = taskKey(module, version, key)
      this.#taskKeys.set(module, known)
    }
    return known
  }

  /** The number of a worker here, by its number on its host. 0: there are too many. */
  #numberOf(host: string, worker: number): number {
    const key = `${host} ${worker}`
    let number = this.#numbers.get(key)
    if (number === undefined) {
      if (this.#workers.length === MAX_NUMBERED) return 0
      number = this.#workers.length + 1
      // 0: the host itself, whose workers could not run the items.
      const name = worker === 0 ? host : `${host}-${worker}`
      this.#workers.push({ name, pid: -1, pool: this.#options.name, worker: number, host })
      this.#numbers.set(key, number)
    }
    return number
  }
}
