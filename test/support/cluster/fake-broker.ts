/** A connection to a `FakeServer`. Messages take time, connections are lost, and requests or their answers, too. */
import {
  BrokerError,
  type Broker,
  type Closer,
  type ConsumerOptions,
  type ConsumerState,
  type Delivery,
  type StreamOptions,
} from '#dist/cluster/broker.js'
import type { FakeServer } from './fake-server.js'

/** How long a request may take, and how long a fetch waits. In milliseconds. */
const TRY_MS = 2_000
const FETCH_MS = 5_000
const MISSING_MS = 1_000
/** More than a message takes. */
const LATEST_MS = 100

export interface Network {
  /** How long a message takes, in milliseconds. */
  readonly delay: () => number
  /** Whether a request, or its answer, is lost. */
  readonly loses: () => boolean
  /** Whether a message is stored twice. */
  readonly doubles: () => boolean
  /** All clients: for messages that are not stored. */
  readonly clients: Set<FakeBroker>
  /** Whether the server runs. */
  isUp: boolean
}

interface Listener {
  readonly subject: string
  readonly take: (data: Uint8Array, subject: string) => Uint8Array | undefined
}

export class FakeBroker implements Broker {
  readonly maxPayload: number
  readonly #server: FakeServer
  readonly #network: Network
  readonly #changed: ((isUp: boolean) => void)[] = []
  readonly #listeners = new Set<Listener>()
  /** Rejects all that is under way. */
  readonly #underWay = new Set<(error: BrokerError) => void>()
  /** Ends what the server has of this client. */
  readonly #receiving = new Set<() => void>()
  #waiting: (() => void)[] = []
  /** Counts connections: what was sent on an earlier one does not arrive. */
  #connection = 0
  #isUp = false
  #isOpen = false
  #isDead = false

  constructor(server: FakeServer, network: Network, maxPayload: number) {
    this.#server = server
    this.#network = network
    this.maxPayload = maxPayload
  }

  get isUp(): boolean {
    return this.#isUp
  }

  async open(): Promise<void> {
    this.#isOpen = true
    this.#network.clients.add(this)
    if (this.#network.isUp) this.connect()
    await this.#connected(Infinity)
  }

  close(): Promise<void> {
    this.#isOpen = false
    this.disconnect()
    this.#network.clients.delete(this)
    return Promise.resolve()
  }

  /** The program has ended: nothing that it waited for happens. */
  kill(): void {
    this.#isDead = true
    this.#underWay.clear()
    void this.close()
  }

  onChange(changed: (isUp: boolean) => void): void {
    this.#changed.push(changed)
  }

  connect(): void {
    if (!this.#isOpen || this.#isUp || !this.#network.isUp) return
    this.#isUp = true
    this.#connection++
    for (const resolve of this.#waiting.splice(0)) resolve()
    for (const changed of this.#changed) changed(true)
  }

  disconnect(): void {
    if (!this.#isUp) return
    this.#isUp = false
    for (const end of [...this.#receiving]) end()
    this.#receiving.clear()
    for (const reject of [...this.#underWay]) reject(new BrokerError('down', 'The connection was lost'))
    if (!this.#isDead) for (const changed of this.#changed) changed(false)
  }

  publish(subject: string, data: Uint8Array): Promise<number> {
    const copy = data.slice()
    return this.#request(() => {
      if (this.#network.doubles()) this.#server.publish(subject, copy)
      return this.#server.publish(subject, copy)
    })
  }

  createStream(options: StreamOptions): Promise<void> {
    return this.#request(() => {
      this.#server.createStream(options)
    })
  }

  createConsumer(stream: string, name: string, options: ConsumerOptions): Promise<void> {
    return this.#request(() => {
      this.#server.createConsumer(stream, name, options)
    })
  }

  deleteConsumer(stream: string, name: string): Promise<void> {
    return this.#request(() => {
      this.#server.deleteConsumer(stream, name)
    })
  }

  consumerState(stream: string, name: string): Promise<ConsumerState | undefined> {
    return this.#request(() => this.#server.state(stream, name))
  }

  subjects(stream: string, filter: string): Promise<ReadonlySet<string> | undefined> {
    return this.#request(() => this.#server.subjects(stream, filter))
  }

  async fetch(stream: string, consumer: string, signal: AbortSignal): Promise<Delivery | undefined> {
    await this.#connected(TRY_MS)
    if (signal.aborted) return undefined
    return await new Promise<Delivery | undefined>((resolve, reject) => {
      let stop: (() => void) | undefined
      const end = (settle: () => void): void => {
        cancel()
        stop?.()
        this.#underWay.delete(fail)
        signal.removeEventListener('abort', abort)
        if (!this.#isDead) settle()
      }
      const abort = (): void => {
        end(() => {
          resolve(undefined)
        })
      }
      const fail = (error: BrokerError): void => {
        end(() => {
          reject(error)
        })
      }
      // The server gives nothing any more. What it has given before still arrives.
      let cancel = this.#server.time.after(FETCH_MS, () => {
        stop?.()
        cancel = this.#server.time.after(LATEST_MS, abort)
      })
      this.#underWay.add(fail)
      signal.addEventListener('abort', abort)
      this.#send(() => {
        if (!this.#underWay.has(fail)) return
        const receiver = {
          isContinuous: false,
          give: this.#giving(stream, consumer, (delivery) => {
            if (!this.#underWay.has(fail)) return
            end(() => {
              resolve(delivery)
            })
          }),
          end: () => undefined,
        }
        const leave = this.#server.receive(stream, consumer, receiver)
        stop = leave && this.#receivingUntil(leave)
        if (stop !== undefined) return
        cancel()
        cancel = this.#server.time.after(MISSING_MS, () => {
          fail(new BrokerError('missing', `There is no consumer ${consumer}`))
        })
      })
    })
  }

  async consume(
    stream: string,
    consumer: string,
    take: (delivery: Delivery) => void,
    ended: (error: BrokerError) => void,
  ): Promise<Closer> {
    let isOpen = true
    const connection = this.#connection
    const end = (error: BrokerError): void => {
      if (isOpen && !this.#isDead) ended(error)
      isOpen = false
    }
    const stop = await this.#request(() => {
      const leave = this.#server.receive(stream, consumer, {
        isContinuous: true,
        give: this.#giving(stream, consumer, (delivery) => {
          if (isOpen) take(delivery)
        }),
        end: () => {
          this.#server.time.after(MISSING_MS, () => {
            end(new BrokerError('missing', `Consumer ${consumer} is gone`))
          })
        },
      })
      if (leave === undefined) throw new BrokerError('missing', `There is no consumer ${consumer}`)
      return this.#receivingUntil(() => {
        leave()
        if (connection !== this.#connection || !this.#isUp) end(new BrokerError('down', 'The connection was lost'))
      })
    })
    return {
      close: () => {
        isOpen = false
        stop()
      },
    }
  }

  broadcast(subject: string, data: Uint8Array): void {
    if (!this.#isUp || this.#network.loses()) return
    for (const client of this.#network.clients) {
      this.#server.time.after(this.#network.delay(), () => {
        client.#hear(subject, data)
      })
    }
  }

  listen(subject: string, take: Listener['take']): Closer {
    const listener = { subject, take }
    this.#listeners.add(listener)
    return {
      close: () => {
        this.#listeners.delete(listener)
      },
    }
  }

  async ask(subject: string, data: Uint8Array, wait: number): Promise<Uint8Array[]> {
    const answers: Uint8Array[] = []
    for (const client of this.#network.clients) answers.push(...client.#hear(subject, data))
    await new Promise<void>((resolve) => {
      this.#server.time.after(wait, resolve)
    })
    return answers
  }

  #hear(subject: string, data: Uint8Array): Uint8Array[] {
    if (!this.#isUp || this.#isDead) return []
    const heard = [...this.#listeners].filter((listener) => matches(listener.subject, subject))
    return heard.map(({ take }) => take(data, subject)).filter((answer) => answer !== undefined)
  }

  /** What the server does when it has a message for this client. */
  #giving(stream: string, consumer: string, take: (delivery: Delivery) => void) {
    const connection = this.#connection
    return (message: { subject: string; data: Uint8Array }, sequence: number, delivery: number): void => {
      const settle = (how: 'ack' | 'nak' | 'working'): void => {
        if (this.#network.loses()) return
        this.#send(() => {
          this.#server.settle(stream, consumer, sequence, how)
        })
      }
      this.#server.time.after(this.#network.delay(), () => {
        if (connection !== this.#connection || !this.#isUp || this.#isDead) return
        take({
          subject: message.subject,
          data: message.data.slice(),
          delivery: this.deliveries(delivery),
          ack: () => {
            settle('ack')
          },
          nak: () => {
            settle('nak')
          },
          term: () => {
            settle('ack')
          },
          working: () => {
            settle('working')
          },
        })
      })
    }
  }

  /** To be replaced by tests that plant a fault. */
  deliveries(count: number): number {
    return count
  }

  #receivingUntil(leave: () => void): () => void {
    const stop = (): void => {
      if (this.#receiving.delete(stop)) leave()
    }
    this.#receiving.add(stop)
    return stop
  }

  /** Does something at the server, unless the connection is lost before. */
  #send(call: () => void): void {
    const connection = this.#connection
    this.#server.time.after(this.#network.delay(), () => {
      if (connection === this.#connection && this.#isUp) call()
    })
  }

  async #request<T>(call: () => T): Promise<T> {
    await this.#connected(TRY_MS)
    return await new Promise<T>((resolve, reject) => {
      const end = (settle: () => void): void => {
        cancel()
        this.#underWay.delete(fail)
        if (!this.#isDead) settle()
      }
      const fail = (error: unknown): void => {
        end(() => {
          reject(error)
        })
      }
      const cancel = this.#server.time.after(TRY_MS, () => {
        fail(new BrokerError('timeout', 'It did not answer'))
      })
      this.#underWay.add(fail)
      if (this.#network.loses()) return
      this.#send(() => {
        let answer: () => void
        try {
          const value = call()
          answer = () => {
            resolve(value)
          }
        } catch (error) {
          answer = () => {
            reject(error)
          }
        }
        if (this.#network.loses()) return
        this.#send(() => {
          if (this.#underWay.has(fail)) end(answer)
        })
      })
    })
  }

  async #connected(wait: number): Promise<void> {
    if (this.#isUp) return
    await new Promise<void>((resolve, reject) => {
      const cancel =
        wait === Infinity
          ? () => undefined
          : this.#server.time.after(wait, () => {
              this.#waiting = this.#waiting.filter((other) => other !== up)
              if (!this.#isDead) reject(new BrokerError('down', 'There is no connection'))
            })
      const up = (): void => {
        cancel()
        if (!this.#isDead) resolve()
      }
      this.#waiting.push(up)
    })
  }
}

function matches(filter: string, subject: string): boolean {
  return filter.endsWith('.>') ? subject.startsWith(filter.slice(0, -1)) : filter === subject
}
