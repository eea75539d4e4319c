/** Time in which hours take milliseconds: it goes on to the next timer when all that can run has run. */
import type { Clock } from '#dist/cluster/clock.js'

interface Timer {
  readonly at: number
  /** Timers of the same time go off in the order in which they were set. */
  readonly order: number
  readonly call: () => void
  isCancelled: boolean
}

export class SimulatedTime implements Clock {
  #now = 0
  #lastOrder = 0
  /** A binary heap. */
  readonly #timers: Timer[] = []

  now(): number {
    return this.#now
  }

  after(ms: number, call: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: ++this.#lastOrder, call, isCancelled: false }
    this.#push(timer)
    return () => {
      timer.isCancelled = true
    }
  }

  /** Goes on until a promise has settled, or up to a time. @returns Whether it has settled. */
  async runUntil(settled: Promise<unknown>, limit: number): Promise<boolean> {
    let isDone = false
    const done = (): void => {
      isDone = true
    }
    settled.then(done, done)
    await turn()
    while (!isDone && this.#now <= limit) {
      const timer = this.#pop()
      if (timer === undefined) return isDone
      if (timer.isCancelled) continue
      this.#now = timer.at
      timer.call()
      await turn()
    }
    return isDone
  }

  #push(timer: Timer): void {
    const timers = this.#timers
    let at = timers.push(timer) - 1
    for (let parent = (at - 1) >> 1; at > 0 && isBefore(timer, timers[parent]); parent = (at - 1) >> 1) {
      timers[at] = timers[parent]
      at = parent
    }
    timers[at] = timer
  }

  #pop(): Timer | undefined {
    const timers = this.#timers
    const first = timers[0]
    const last = timers.pop()
    if (last === undefined || first === undefined || timers.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child + 1 < timers.length && isBefore(timers[child + 1], timers[child])) child++
      if (child >= timers.length || isBefore(last, timers[child])) break
      timers[at] = timers[child]
      at = child
    }
    timers[at] = last
    return first
  }
}

function isBefore(one: Timer, other: Timer | undefined): boolean {
  return other !== undefined && (one.at < other.at || (one.at === other.at && one.order < other.order))
}

/** All promises that are ready have called back. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
