/**
 * P1: the consumer of a producer's results. It is opened at the start, after each reconnect and when it is gone, and
 * replaced when it is silent. What the results mean, `producer.ts` knows.
 */
import { faultOf, untilDone, type Tries } from './attempts.js'
import type { Closer, Delivery } from './broker.js'
import { RESULTS_CONSUMER } from './names.js'

export interface ResultsOptions extends Tries {
  /** The name of the consumer. */
  readonly consumer: string
  /** The subject of the results. */
  readonly filter: string
  /** Whether anybody needs results: asked before each try to open it. */
  readonly isWanted: () => boolean
  readonly take: (delivery: Delivery) => void
  /** The consumer is gone, though the connection is there. */
  readonly onGone: () => void
}

export class Results {
  readonly #options: ResultsOptions
  #consuming: Closer | undefined
  /** Counts how often it was opened: only the last time matters. */
  #attempt = 0
  /** That time, while it lasts. */
  #opening: Promise<void> | undefined

  constructor(options: ResultsOptions) {
    this.#options = options
  }

  /** Creates the consumer if there is none, and takes what it gives. @throws ClusterError */
  open(): Promise<void> {
    return this.#begin(false)
  }

  /** The same with a new consumer, as the one there is gives nothing. One that is being opened is given its time. */
  replace(): Promise<void> {
    return this.#opening ?? this.#begin(true)
  }

  /** Deletes the consumer. It would end by itself. */
  async close(): Promise<void> {
    this.#attempt++
    this.#stop()
    const { broker, names, consumer } = this.#options
    await broker.deleteConsumer(names.results, consumer).catch(faultOf)
  }

  #begin(isSilent: boolean): Promise<void> {
    const attempt = ++this.#attempt
    this.#stop()
    const opening = this.#open(isSilent, () => attempt === this.#attempt).finally(() => {
      if (this.#opening === opening) this.#opening = undefined
    })
    this.#opening = opening
    return opening
  }

  async #open(isSilent: boolean, isLast: () => boolean): Promise<void> {
    const { broker, names, consumer, filter, take, onGone } = this.#options
    const isWanted = (): boolean => isLast() && this.#options.isWanted()
    let isLeft = isSilent
    const consuming = await untilDone(this.#options, names.results, isWanted, async () => {
      if (isLeft) await broker.deleteConsumer(names.results, consumer)
      isLeft = false
      await broker.createConsumer(names.results, consumer, { ...RESULTS_CONSUMER, filter })
      return await broker.consume(names.results, consumer, take, ({ fault }) => {
        // After a loss of the connection, it is opened again when that is back.
        if (fault !== 'down' && isWanted()) onGone()
      })
    })
    if (isWanted()) this.#consuming = consuming
    else consuming?.close()
  }

  #stop(): void {
    this.#consuming?.close()
    this.#consuming = undefined
  }
}
