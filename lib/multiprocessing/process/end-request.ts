/** Asks a thread to end by itself, where its own messages belong to its task. */
import { MessageChannel, type MessagePort } from 'node:worker_threads'

export class EndRequest {
  readonly #own: MessagePort
  /** For the thread: a message there is the request. */
  readonly port: MessagePort

  constructor() {
    const { port1, port2 } = new MessageChannel()
    this.#own = port1
    this.port = port2
  }

  send(): void {
    this.#own.postMessage(null)
  }

  close(): void {
    this.#own.close()
  }
}
