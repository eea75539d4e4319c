/** A TCP proxy on the loopback, between a program and a server: a network that can fail. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type NetworkState =
  /** All bytes pass. */
  | 'up'
  /** Connections are reset, also new ones. */
  | 'cut'
  /** No byte passes, and none is lost: they pass when the network is up again. */
  | 'stalled'
  /**
   * The connections become half open: all that is sent on them is lost, also later, and no end of them is told of. New
   * ones wait until the network is up again.
   */
  | 'silent'

export class Proxy implements AsyncDisposable {
  readonly #server: Server
  readonly #links = new Set<Link>()
  #state: NetworkState = 'up'

  private constructor(target: number) {
    this.#server = createServer((client) => {
      const link = new Link(client, target, this.#state)
      this.#links.add(link)
      client.once('close', () => {
        if (link.isOver) this.#links.delete(link)
      })
    })
  }

  /** @param target A port of the loopback. */
  static async start(target: number): Promise<Proxy> {
    const proxy = new Proxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  set(state: NetworkState): void {
    this.#state = state
    for (const link of this.#links) link.set(state)
  }

  /** Fails for a time, in milliseconds. */
  async fail(state: NetworkState, ms: number): Promise<void> {
    this.set(state)
    await sleep(ms)
    this.set('up')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const link of this.#links) link.end()
    await closed
  }
}

/** A connection of a client, and the one to the server that belongs to it. */
class Link {
  readonly #client: Socket
  readonly #target: number
  /** Undefined: the client waits for the network. */
  #server: Socket | undefined
  #isStalled = false
  #isLost = false

  constructor(client: Socket, target: number, state: NetworkState) {
    this.#client = client
    this.#target = target
    client.pause()
    // An error is followed by the end.
    client.on('error', () => {})
    this.set(state)
  }

  get isOver(): boolean {
    return this.#client.destroyed && (this.#server?.destroyed ?? true)
  }

  set(state: NetworkState): void {
    if (state === 'cut') this.end()
    else if (this.#server === undefined) {
      if (state === 'up' && !this.#client.destroyed) this.#server = this.#connect()
    } else if (state === 'silent') this.#lose(this.#server)
    else if (!this.#isLost) {
      this.#isStalled = state === 'stalled'
      for (const socket of [this.#client, this.#server])
        if (this.#isStalled) socket.pause()
        else socket.resume()
    }
  }

  end(): void {
    for (const socket of [this.#client, this.#server]) socket?.resetAndDestroy()
  }

  #connect(): Socket {
    const server = connect(this.#target, '127.0.0.1')
    server.on('error', () => {})
    this.#pass(this.#client, server)
    this.#pass(server, this.#client)
    return server
  }

  #pass(from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (!this.#isLost && !to.write(bytes)) from.pause()
    })
    to.on('drain', () => {
      if (!this.#isStalled) from.resume()
    })
    from.on('close', () => {
      if (!this.#isLost) to.destroy()
    })
    from.resume()
  }

  #lose(server: Socket): void {
    this.#isLost = true
    this.#isStalled = false
    for (const socket of [this.#client, server]) socket.resume()
  }
}
