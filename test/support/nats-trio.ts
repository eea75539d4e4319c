/** Three NATS servers of the machine that keep streams together. */
import { freePort, NatsServer } from './nats-server.js'

export class NatsTrio implements AsyncDisposable {
  readonly #servers: ReadonlyMap<string, NatsServer>

  private constructor(servers: ReadonlyMap<string, NatsServer>) {
    this.#servers = servers
  }

  static async start(): Promise<NatsTrio> {
    const names = ['one', 'two', 'three']
    const ports = await Promise.all(names.map(freePort))
    const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(', ')
    const started = names.map(async (name, at) => {
      const cluster = `cluster { name: trio, listen: "127.0.0.1:${ports[at]}", routes: [${routes}] }`
      return [name, await NatsServer.start({ settings: `server_name: ${name}\n${cluster}` })] as const
    })
    return new NatsTrio(new Map(await Promise.all(started)))
  }

  get urls(): string[] {
    return [...this.#servers.values()].map(({ url }) => url)
  }

  /** @param name As JetStream names a leader. */
  server(name: string | undefined): NatsServer {
    const server = this.#servers.get(name ?? '')
    if (server === undefined) throw new Error(`There is no server ${name}`)
    return server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server[Symbol.asyncDispose]()))
  }
}
