/** What fails in the soak of a cluster: a server, hosts, and the networks between them and the producer. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startHost, type CommandRun } from '../command.js'
import { NatsServer } from '../nats-server.js'
import { Proxy, type NetworkState } from '../proxy.js'
import { pick } from './streams.js'

/** The first one is never ended, so that its memory shows a leak. */
const HOSTS = ['steady', 'two', 'three'] as const

export class FailingFleet implements AsyncDisposable {
  readonly server: NatsServer
  readonly producerNetwork: Proxy
  /** How often each fault has happened. */
  readonly counts = new Map<string, number>()
  readonly #networks: readonly Proxy[]
  readonly #hosts: CommandRun[] = []

  private constructor(server: NatsServer, producerNetwork: Proxy, networks: readonly Proxy[]) {
    this.server = server
    this.producerNetwork = producerNetwork
    this.#networks = networks
  }

  static async start(): Promise<FailingFleet> {
    const server = await NatsServer.start()
    const networks = await Promise.all(HOSTS.map(() => Proxy.start(server.port)))
    const fleet = new FailingFleet(server, await Proxy.start(server.port), networks)
    await Promise.all(HOSTS.map((_, at) => fleet.#startHost(at)))
    return fleet
  }

  get steadyHost(): CommandRun | undefined {
    return this.#hosts[0]
  }

  /** A host fails. @returns When it is over. */
  async failHost(random: () => number): Promise<void> {
    const [name, fault] = pick(random, [
      ['host killed', () => this.#replaceHost(random, 'SIGKILL')],
      ['host drained', () => this.#replaceHost(random, 'SIGTERM')],
      ['host stopped', () => this.#stopHost(random)],
    ])
    await this.#count(name, fault)
  }

  /** The server or a network fails. @returns When it is over. */
  async failServer(random: () => number): Promise<void> {
    const [name, fault] = pick(random, [
      ['server killed', () => this.#killServer(random)],
      ['network of the producer', () => failNetwork(this.producerNetwork, random)],
      ['network of a host', () => failNetwork(pick(random, this.#networks), random)],
    ])
    await this.#count(name, fault)
  }

  async endHosts(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host[Symbol.asyncDispose]()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endHosts()
    for (const network of [this.producerNetwork, ...this.#networks]) await network[Symbol.asyncDispose]()
    await this.server[Symbol.asyncDispose]()
  }

  async #count(name: string, fault: () => Promise<void>): Promise<void> {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
    await fault()
  }

  async #startHost(at: number): Promise<void> {
    const { url } = this.#networks[at] ?? this.producerNetwork
    this.#hosts[at] = await startHost(url, ['--name', HOSTS[at] ?? 'other', '--drain', '5s'])
  }

  async #replaceHost(random: () => number, signal: NodeJS.Signals): Promise<void> {
    const at = pick(random, [1, 2])
    const host = this.#hosts[at]
    host?.kill(signal)
    const end = await host?.ended()
    if (signal === 'SIGTERM' && end !== 0) throw new Error(`A host that was drained ended with ${end}:\n${host?.text}`)
    await this.#startHost(at)
  }

  async #stopHost(random: () => number): Promise<void> {
    const host = pick(random, this.#hosts)
    host.kill('SIGSTOP')
    await sleep(random() * 8_000)
    host.kill('SIGCONT')
  }

  async #killServer(random: () => number): Promise<void> {
    await this.server.kill()
    await sleep(random() * 4_000)
    await this.server.start()
  }
}

async function failNetwork(network: Proxy, random: () => number): Promise<void> {
  await network.fail(
    pick(random, ['cut', 'stalled', 'silent'] as const satisfies readonly NetworkState[]),
    random() * 8_000,
  )
}
