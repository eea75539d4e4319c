/** A cluster without faults, in real time: hosts with worker processes, and a producer. */
import type { Pool } from 'millrace'
import { Host } from '#dist/cluster/host.js'
import { RemoteExecutor, type RemoteOptions } from '#dist/cluster/remote-executor.js'
import { systemClock, type Clock } from '#dist/cluster/clock.js'
import { taskKey } from '#dist/cluster/task-key.js'
import { ThreadExecutor } from '#dist/executor/threads/thread-executor.js'
import { applyOn } from '#dist/verbs/apply.js'
import { filterOn } from '#dist/verbs/filter.js'
import { flatMapOn } from '#dist/verbs/flat-map.js'
import { imapOn } from '#dist/verbs/imap.js'
import { istarmapOn } from '#dist/verbs/istarmap.js'
import { mapOn } from '#dist/verbs/map.js'
import { reduceOn } from '#dist/verbs/reduce.js'
import { FakeBroker, type Network } from './fake-broker.js'
import { FakeServer } from './fake-server.js'

export const NAMES = { namespace: 'test', group: 'any' }
export const MAX_PAYLOAD = 64 * 1024

export class CalmCluster {
  readonly server: FakeServer
  readonly #network: Network = {
    delay: () => 0,
    loses: () => false,
    doubles: () => false,
    clients: new Set(),
    isUp: true,
  }
  readonly #pools: ThreadExecutor[] = []

  constructor(clock: Clock = systemClock) {
    this.server = new FakeServer(clock)
  }

  /** A host that offers a module. */
  async host(name: string, url: string, exports: readonly string[] = [], broker = this.broker()): Promise<Host> {
    const executor = new ThreadExecutor({
      name,
      workers: 2,
      isolation: 'process',
      idleTimeout: Infinity,
      startTimeout: 60_000,
      initargs: [],
    })
    this.#pools.push(executor)
    const modules = [{ taskKey: taskKey(url), url, exports: new Set(exports) }]
    const host = new Host({ ...NAMES, broker, executor, name, modules })
    await host.start()
    return host
  }

  executor(options: Partial<RemoteOptions> = {}): RemoteExecutor {
    const broker = this.broker()
    return new RemoteExecutor({ ...NAMES, broker, name: 'me', maxBytes: 1_000_000, patience: 60_000, ...options })
  }

  broker(): FakeBroker {
    return new FakeBroker(this.server, this.#network, MAX_PAYLOAD)
  }

  /** How many messages each stream has. */
  get stored(): number[] {
    return [...this.server.streams.values()].map(({ messages }) => messages.size)
  }

  async close(): Promise<void> {
    for (const client of [...this.#network.clients]) await client.close()
    for (const pool of this.#pools) await pool.terminate(new Error('The test is over'))
  }
}

type Verbs = Pick<Pool, 'apply' | 'filter' | 'flatMap' | 'imap' | 'imapUnordered' | 'istarmap' | 'map' | 'reduce'>

/** The verbs of a pool, with the types of the package. */
export function verbsOn(remote: RemoteExecutor): Verbs {
  const executor = (): RemoteExecutor => remote
  return {
    apply: applyOn(executor),
    filter: filterOn(executor, true),
    flatMap: flatMapOn(executor, true),
    imap: imapOn(executor, true),
    imapUnordered: imapOn(executor, false),
    istarmap: istarmapOn(executor, true),
    map: mapOn(executor),
    reduce: reduceOn(executor),
  } as unknown as Verbs
}
