/**
 * A host: takes units of the modules that it offers, and runs them in worker processes. H1, H2, H4, H5, H6 and H8 of
 * docs/cluster.md; `unit-run.ts` has the others. Its own process runs no code of users, and imports nothing that a
 * message names.
 */
import type { PoolExecutor } from '../executor/executor.js'
import { createConsumer, faultOf } from './attempts.js'
import type { Broker, Closer, Delivery } from './broker.js'
import { every, pause, systemClock, type Clock } from './clock.js'
import { watchConnection } from './connection-watch.js'
import { decodeCancel, encodeHost } from './messages.js'
import { hex, Names, TASKS_CONSUMER, type NameOptions } from './names.js'
import { RunLanes } from './run-lanes.js'
import { moduleName } from './task-key.js'
import { headOf, memberOf, UnitRun, type OfferedModule, type UnitRunOptions } from './unit-run.js'

/** H2: well within the time after which the broker delivers a unit again. In milliseconds. */
const WORKING_MS = 1_600
/** How long the lane of a stream outlives its last unit, at least, in milliseconds. */
const LANE_MS = 1_000
/** H4: how often the producers of units are looked for, in milliseconds. */
const LOOK_MS = 5_000
/** H5: how many ended runs are remembered. */
const MAX_ENDED = 10_000
/** H1: below this average, a host holds more units than it has slots. In milliseconds. */
const SHORT_MS = 100
/** The weight of a unit in the average. */
const WEIGHT = 0.1
/** After a fetch that failed, in milliseconds. */
const RETRY_MS = 50

export interface HostOptions extends NameOptions {
  readonly broker: Broker
  readonly executor: PoolExecutor
  readonly name: string
  readonly modules: readonly OfferedModule[]
  /** How many units it may hold beyond one for each worker, while units are short. Default: as many as workers. */
  readonly ahead?: number | undefined
  readonly clock?: Clock | undefined
}

export class Host {
  readonly counts = { rejected: 0, done: 0 }
  /** Rejects when it can no longer serve: its workers do not start, or an action is forbidden. */
  readonly failed: Promise<never>
  readonly #options: UnitRunOptions & HostOptions
  readonly #held = new Set<UnitRun>()
  /** The tokens of producers that were found. */
  readonly #found = new Set<string>()
  /** H5, by `runKey()`. The oldest one first. */
  readonly #ended = new Set<string>()
  #average = Infinity
  #isDraining = false
  #isStopped = false
  /** Stops the fetches that are open. */
  #fetching = new AbortController()
  /** Settles when consumers exist, as far as is known. */
  #ready: Promise<void> = Promise.resolve()
  /** Of loops that have to wait for room. */
  #roomWaiters: (() => void)[] = []
  #loops: Promise<unknown> = Promise.resolve()
  #closers: (() => void)[] = []
  #fail: (error: unknown) => void = () => undefined

  constructor(options: HostOptions) {
    const { broker, clock = systemClock } = options
    this.#options = { ...options, names: new Names(options), clock, lanes: new RunLanes(options.executor) }
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    // The caller may look at it late.
    this.failed.catch(() => undefined)
    watchConnection(broker, clock, memberOf(options), () => !this.#isStopped)
    broker.onChange((isUp) => {
      if (isUp && !this.#isStopped) this.#prepare()
    })
  }

  /** Connects, creates what is missing, and begins to take units. @throws ClusterError */
  async start(): Promise<void> {
    const { broker, names, clock, modules, executor, lanes, ahead = executor.workers } = this.#options
    await broker.open()
    this.#prepare()
    await this.#ready
    const cancels = broker.listen(names.cancels, (data) => {
      this.#onCancel(data)
      return undefined
    })
    const questions = broker.listen(names.hosts, () => this.#info())
    this.#closers = [cancels, questions].map((closer: Closer) => () => {
      closer.close()
    })
    this.#closers.push(
      every(clock, WORKING_MS, () => {
        for (const { delivery } of this.#held) delivery.working()
      }),
      every(clock, LOOK_MS, () => void this.#lookForProducers()),
      every(clock, LANE_MS, () => {
        lanes.closeIdle()
      }),
    )
    const loops = modules.flatMap((module) =>
      Array.from({ length: executor.workers + ahead }, (_, at) => this.#loop(module, at)),
    )
    this.#loops = Promise.all(loops).catch(this.#fail)
  }

  /**
   * H6: takes no more units, and finishes those that it holds. It gives the rest back after `ms` milliseconds.
   *
   * @returns When it has let go of all.
   */
  async drain(ms: number): Promise<void> {
    this.#isDraining = true
    this.#fetching.abort()
    this.#changeRoom()
    const cancel = this.#options.clock.after(ms, () => {
      for (const run of this.#held) {
        run.cancel()
        run.delivery.nak()
      }
    })
    await this.#loops
    cancel()
    await this.stop()
  }

  /** Ends at once. What it holds is delivered to other hosts after a while. */
  async stop(): Promise<void> {
    this.#isDraining = this.#isStopped = true
    this.#fetching.abort()
    this.#changeRoom()
    for (const close of this.#closers) close()
    for (const run of this.#held) run.cancel()
    this.#options.lanes.closeAll()
    await this.#options.broker.close()
  }

  /** H8: at the start and after each reconnect. Fetches that are open may sleep, so they are stopped. */
  #prepare(): void {
    this.#fetching.abort()
    const fetching = new AbortController()
    this.#fetching = fetching
    this.#ready = this.#createConsumers(() => fetching === this.#fetching && !this.#isDraining)
    this.#ready.catch(this.#fail)
  }

  async #createConsumers(isWanted: () => boolean): Promise<void> {
    const { names, modules } = this.#options
    for (const { taskKey } of modules) {
      const module = moduleName(taskKey)
      const options = { ...TASKS_CONSUMER, filter: names.unitsFor(module) }
      await createConsumer(this.#options, names.tasks, module, options, isWanted)
    }
  }

  /** H1: `at` counts the loops of a module. Each holds one unit at most. */
  async #loop(module: OfferedModule, at: number): Promise<void> {
    while (!this.#isDraining) {
      if (at >= this.#room) await new Promise<void>((resolve) => this.#roomWaiters.push(resolve))
      else {
        const delivery = await this.#fetch(moduleName(module.taskKey))
        if (delivery !== undefined) await this.#hold(module, delivery)
      }
    }
  }

  get #room(): number {
    const { executor, ahead = executor.workers } = this.#options
    return executor.workers + (this.#average < SHORT_MS ? ahead : 0)
  }

  #changeRoom(): void {
    for (const resolve of this.#roomWaiters.splice(0)) resolve()
  }

  async #fetch(module: string): Promise<Delivery | undefined> {
    const { broker, names, clock } = this.#options
    await this.#ready
    const { signal } = this.#fetching
    if (this.#isDraining) return undefined
    try {
      return await broker.fetch(names.tasks, module, signal)
    } catch (error) {
      // A fetch waits for the connection by itself.
      if (faultOf(error) === 'missing' && signal === this.#fetching.signal) this.#prepare()
      await pause(clock, RETRY_MS)
      return undefined
    }
  }

  async #hold(module: OfferedModule, delivery: Delivery): Promise<void> {
    const { names, clock } = this.#options
    const address = names.addressOf(delivery.subject)
    const head = headOf(delivery.data)
    if (address === undefined || head === undefined) {
      this.counts.rejected++
      delivery.term()
      return
    }
    if (this.#isDraining) {
      delivery.nak()
      return
    }
    const run = new UnitRun(this.#options, module, delivery, head, names.result(address))
    this.#held.add(run)
    try {
      if (this.#ended.has(runKey(head))) delivery.ack()
      else if (await this.#isGone(hex(head.token))) delivery.term()
      else {
        const started = clock.now()
        await run.run()
        this.#learn(clock.now() - started)
      }
    } finally {
      this.#held.delete(run)
    }
  }

  #learn(time: number): void {
    this.counts.done++
    const before = this.#room
    this.#average = this.#average === Infinity ? time : this.#average + (time - this.#average) * WEIGHT
    if (this.#room > before) this.#changeRoom()
  }

  /** H4: whether the consumer of a producer's results is gone. Only what was found is remembered. */
  async #isGone(token: string): Promise<boolean> {
    if (this.#found.has(token)) return false
    const { broker, names } = this.#options
    try {
      const isFound = (await broker.consumerState(names.results, token)) !== undefined
      if (isFound) this.#found.add(token)
      return !isFound
    } catch (error) {
      faultOf(error)
      return false
    }
  }

  async #lookForProducers(): Promise<void> {
    this.#found.clear()
    const tokens = new Set([...this.#held].map(({ head }) => hex(head.token)))
    for (const token of tokens) {
      if (!(await this.#isGone(token))) continue
      this.#cancel(
        ({ head }) => hex(head.token) === token,
        (delivery) => {
          delivery.term()
        },
      )
    }
  }

  /** H5: a stream has ended. */
  #onCancel(data: Uint8Array): void {
    const cancelled = decodeCancel(data)
    if (cancelled === undefined) return
    const key = runKey(cancelled)
    this.#ended.add(key)
    const [oldest] = this.#ended
    if (this.#ended.size > MAX_ENDED && oldest !== undefined) this.#ended.delete(oldest)
    this.#cancel(
      ({ head }) => runKey(head) === key,
      (delivery) => {
        delivery.ack()
      },
    )
  }

  #cancel(isMeant: (run: UnitRun) => boolean, settle: (delivery: Delivery) => void): void {
    for (const run of this.#held) {
      if (!isMeant(run)) continue
      run.cancel()
      settle(run.delivery)
    }
  }

  #info(): Uint8Array {
    const { name, group, executor, modules } = this.#options
    return encodeHost({
      name,
      group,
      slots: executor.workers,
      held: this.#held.size,
      isDraining: this.#isDraining,
      modules: modules.map(({ taskKey }) => taskKey),
    })
  }
}

function runKey({ token, run }: { readonly token: Uint8Array; readonly run: number }): string {
  return `${hex(token)} ${run}`
}
