/**
 * A producer and hosts on a broker that fails, all from one seed and in simulated time. A run of a world gives each
 * outcome exactly once, or says what went wrong.
 */
import { RemoteExecutor } from '#dist/cluster/remote-executor.js'
import { Host } from '#dist/cluster/host.js'
import { BrokerError, type ConsumerState } from '#dist/cluster/broker.js'
import type { Clock } from '#dist/cluster/clock.js'
import { imapOn } from '#dist/verbs/imap.js'
import { reduceOn } from '#dist/verbs/reduce.js'
import type { Outcome } from 'millrace'
import { randomOf } from '../random.js'
import { FakeBroker, type Network } from './fake-broker.js'
import { FakeServer, FakeStream } from './fake-server.js'
import { FakeWorkers, type Item } from './fake-workers.js'
import { SimulatedTime } from './simulated-time.js'

const MODULE = 'file:///tasks.js'
const EXPORT = 'double'
const NAMES = { namespace: 'test', group: 'any' }
export const OVERHEAD = 4 * 1024
/** After this long, in milliseconds, a stream hangs. */
const LIMIT_MS = 1_200_000
/** Faults happen in this time. */
const STORM_MS = 20_000

/** A part of the protocol that is taken away: the model must find that. */
export type Planted = 'audit' | 'floor' | 'lost'

export interface WorldOptions {
  readonly seed: number
  readonly planted?: Planted | undefined
  readonly faults?: boolean
}

export class World {
  readonly time = new SimulatedTime()
  readonly random: () => number
  readonly server = new FakeServer(this.time)
  readonly network: Network
  readonly producer: FakeBroker
  readonly executor: RemoteExecutor
  readonly hosts = new Map<
    Host,
    { readonly broker: FakeBroker; readonly workers: FakeWorkers; readonly kill: () => void }
  >()
  readonly #planted: Planted | undefined
  readonly #slow: number
  #isOver = false
  #excess: string | undefined
  #hosts = 0

  constructor({ seed, planted, faults = true }: WorldOptions) {
    this.random = randomOf(seed)
    this.#planted = planted
    this.#slow = this.#oneOf([5, 50, 400])
    const loss = faults ? this.#oneOf([0, 0, 0.01, 0.03]) : 0
    const delay = this.#oneOf([1, 5, 50])
    this.network = {
      delay: () => this.random() * delay,
      loses: () => this.random() < loss,
      doubles: () => this.random() < loss,
      clients: new Set(),
      isUp: true,
    }
    const maxBytes = this.#oneOf([20_000, 1_000_000])
    this.producer = this.#broker()
    this.executor = new RemoteExecutor({
      ...NAMES,
      broker: this.producer,
      name: 'me',
      maxBytes,
      patience: 60_000,
      version: '1',
      modules: new Map([['tasks', MODULE]]),
      clock: this.time,
    })
    const { producer } = this.executor
    const send = producer.send.bind(producer)
    producer.send = (unit) => {
      send(unit)
      if (producer.bytes > maxBytes) this.#excess = `the producer keeps ${producer.bytes} bytes, of ${maxBytes}`
    }
    for (let host = 0; host < 2; host++) this.addHost()
    if (faults) for (let fault = Math.floor(this.random() * 6); fault > 0; fault--) this.#planFault()
  }

  /** @returns What went wrong, if anything did. */
  async run(items: number): Promise<string | undefined> {
    const verb = this.#oneOf(['ordered', 'unordered', 'reduce'] as const)
    const hasDeadly = verb !== 'reduce' && this.random() < 0.1
    const source = Array.from({ length: items }, (_, n): Item => {
      const chance = this.random()
      const kind = verb === 'reduce' ? 'plain' : chance < 0.02 ? 'failing' : chance < 0.03 ? 'fat' : 'plain'
      return {
        n,
        kind: hasDeadly && n === items >> 1 ? 'deadly' : kind,
        pad: 'x'.repeat(verb !== 'reduce' && chance > 0.98 ? 3_000 : 10),
      }
    })
    const chunksize = 1 + Math.floor(this.random() * 12)
    const how = { chunksize, window: chunksize * (1 + Math.floor(this.random() * 8)) }
    const task = { module: MODULE, export: EXPORT }
    const executor = (): RemoteExecutor => this.executor
    const done =
      verb === 'reduce'
        ? reduceOn(executor)(task as never, source, {
            ...how,
            initial: 0,
            merge: (one: number, other: number) => one + other,
          })
        : imapOn(executor, verb === 'ordered')(task as never, source, { ...how, errors: 'settle' }).toArray()
    const outcome = done.then(
      (value: unknown) =>
        verb === 'reduce' ? faultOfSum(value, items) : faultOf(value as Given[], source, verb === 'ordered'),
      (error: unknown) => `the stream failed: ${String(error)}`,
    )
    const isDone = await this.time.runUntil(outcome, LIMIT_MS)
    this.#isOver = true
    if (!isDone) return `it hangs, with ${this.executor.producer.out} units out`
    return (await outcome) ?? this.#excess ?? (await this.faultAtEnd())
  }

  /** Nothing may be left, after a while: a host may have to find out that its producer is gone. */
  async faultAtEnd(): Promise<string | undefined> {
    let fault = this.#fault
    for (let second = 0; fault !== undefined && second < 60; second++) {
      await this.time.runUntil(new Promise(() => undefined), this.time.now() + 1_000)
      fault = this.#fault
    }
    return fault
  }

  get #fault(): string | undefined {
    const { out, bytes } = this.executor.producer
    if (out > 0 || bytes > 0) return `the producer keeps ${out} units of ${bytes} bytes`
    if (this.producer.isUp) return 'the connection stays open'
    if ([...this.hosts.values()].some(({ workers }) => workers.running > 0)) return 'a host still runs units'
    return undefined
  }

  addHost(): void {
    if (this.#isOver) return
    let isDead = false
    const clock: Clock = {
      now: () => this.time.now(),
      after: (ms, call) =>
        this.time.after(ms, () => {
          if (!isDead) call()
        }),
    }
    const broker = this.#broker()
    const kill = (): void => {
      if (isDead) return
      isDead = true
      broker.kill()
      this.hosts.delete(host)
      this.time.after(500 + this.random() * 2_000, () => {
        this.addHost()
      })
    }
    const workers = new FakeWorkers({ workers: 2, clock, random: this.random, slow: this.#slow, die: kill })
    const modules = [{ taskKey: 'tasks@1', url: MODULE, exports: new Set([EXPORT]) }]
    const host = new Host({ ...NAMES, broker, executor: workers, name: `host${++this.#hosts}`, modules, clock })
    this.hosts.set(host, { broker, workers, kill })
    void host.start()
  }

  #broker(): FakeBroker {
    const broker = new FakeBroker(this.server, this.network, OVERHEAD + 2_500)
    if (this.#planted === 'audit') {
      broker.subjects = () => Promise.reject(new BrokerError('timeout', 'planted'))
    } else if (this.#planted === 'floor') {
      const ask = broker.consumerState.bind(broker)
      broker.consumerState = async (stream, name) => {
        const state = await ask(stream, name)
        return state && ({ ...state, floor: 0 } satisfies ConsumerState)
      }
    } else if (this.#planted === 'lost') broker.deliveries = () => 1
    return broker
  }

  #oneOf<T>(values: readonly T[]): T {
    return values[Math.floor(this.random() * values.length)]
  }

  #planFault(): void {
    const fault = this.#oneOf([
      () => {
        this.#oneOf([...this.hosts.values()])?.kill()
      },
      () => {
        for (const { kill } of this.hosts.values()) kill()
      },
      () => {
        this.#cutOff(this.#oneOf([...this.hosts.values()])?.broker)
      },
      () => {
        this.#cutOff(this.producer)
      },
      () => {
        this.#restart(() => undefined)
      },
      () => {
        this.#restart(() => {
          for (const name of [...this.server.streams.keys()]) this.server.deleteStream(name)
        })
      },
      () => {
        // Results wait at the broker when it ends.
        this.#cutOff(this.producer)
        this.time.after(this.random() * 2_000, () => {
          this.#restart(() => {
            this.#findAgain()
          })
        })
      },
      () => {
        this.#restart(() => {
          this.server.deleteStream('millrace-test-results')
        })
      },
      () => {
        this.server.deleteStream('millrace-test-tasks-any')
      },
      () => {
        this.server.deleteStream('millrace-test-results')
      },
      () => {
        this.#deleteResultConsumers()
      },
    ])
    this.time.after(this.random() * STORM_MS, fault)
  }

  #cutOff(broker: FakeBroker | undefined): void {
    broker?.disconnect()
    this.time.after(this.random() * 20_000, () => {
      broker?.connect()
    })
  }

  /** The server ends, and comes back later, with what `damage` has left of its store. */
  #restart(damage: () => void): void {
    if (!this.network.isUp) return
    this.network.isUp = false
    for (const client of [...this.network.clients]) client.disconnect()
    damage()
    this.time.after(500 + this.random() * 5_000, () => {
      this.network.isUp = true
      for (const client of [...this.network.clients]) {
        this.time.after(this.random() * 350, () => {
          client.connect()
        })
      }
    })
  }

  /** The results that were stored last are lost. Units that were acknowledged are in the store again, below the floor. */
  #findAgain(): void {
    for (const stream of this.server.streams.values()) {
      if (stream.options.retention === 'interest') stream.messages.clear()
      else for (const [sequence, message] of stream.acknowledged) restore(stream, sequence, message)
    }
  }

  #deleteResultConsumers(): void {
    const { consumers } = this.server.streams.get('millrace-test-results') ?? {}
    for (const name of [...(consumers?.keys() ?? [])]) this.server.deleteConsumer('millrace-test-results', name)
  }
}

function restore(stream: FakeStream, sequence: number, message: { subject: string; data: Uint8Array }): void {
  stream.messages.set(sequence, message)
}

type Given = Outcome<Item, unknown>

function faultOfSum(sum: unknown, items: number): string | undefined {
  const expected = (items * (items - 1)) / 2
  return sum === expected ? undefined : `the sum is ${String(sum)}, not ${expected}`
}

function faultOf(given: readonly Given[], source: readonly Item[], isOrdered: boolean): string | undefined {
  if (given.length !== source.length) return `${given.length} outcomes of ${source.length} items`
  const outcomes = isOrdered ? given : given.toSorted((one, other) => one.index - other.index)
  for (const [n, outcome] of outcomes.entries()) {
    const item = source[n]
    const told = outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as { code?: string; name: string })
    const name = typeof told === 'object' ? ((told as { code?: string }).code ?? (told as Error).name) : told
    if (outcome.index !== n || name !== expectedOf(item)) return `item ${n} (${item?.kind}): ${String(told)}`
  }
  return undefined
}

function expectedOf(item: Item | undefined): unknown {
  if (item === undefined) return undefined
  if (item.pad.length > 2_000) return 'ERR_TOO_LARGE'
  return { plain: 2 * item.n, failing: 'RangeError', fat: 'ERR_TOO_LARGE', deadly: 'ERR_HOST_LOST' }[item.kind]
}
