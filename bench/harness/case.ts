/** A case: contenders that do the same work, and the goals for millrace. Types, and functions that make them. */

import type { Cpu } from './cpu.js'

/**
 * One question about speed or memory. `P`: the parameters of the contenders. They are plain data, because they are sent
 * to processes.
 */
export interface Case<P = unknown> {
  /** Its name on the command line, which is also that of its file. */
  readonly name: string
  readonly title: string
  readonly unit: Unit
  readonly contenders: readonly Contender<P>[]
  readonly goals: readonly Goal[]
  /** Each measurement has its own process, without a warm-up. */
  readonly cold?: boolean
  /** Multiplies the rounds: for measurements that are short and vary. */
  readonly roundsTimes?: number
  /** Prepares the input of the contenders. `scale`: 1, or less for a quick run. */
  prepare(scale: number): Setting<P> | Promise<Setting<P>>
}

/** The measured quantity, and its format. */
export interface Unit {
  readonly name: string
  readonly digits: number
  /** Whether the lower or the higher figure is better. */
  readonly better: 'less' | 'more'
}

export interface Setting<P = unknown> {
  readonly parameters: P
  /** The answer that every contender must give, found in another way. Compared as JSON. */
  readonly answer: unknown
  /** The amount of work, in a few words. */
  readonly about: string
}

/** One way to do the work. */
export interface Contender<P = unknown> {
  readonly name: string
  /** What it is, if it is not a package to compare with: millrace, a plain loop, or the physical floor. */
  readonly kind?: 'millrace' | 'loop' | 'floor'
  /** For a floor: the only contender that it is the floor of. Without, it is that of all that have no other. */
  readonly floorOf?: string
  /** Prepares everything: pools start here, and the time does not count. Throws `NotMeasured` if it cannot run. */
  open?(parameters: P): Entry | Promise<Entry>
  /** Instead of `open`: the function in `peers/pool_imap.py` that does the work. */
  readonly python?: string
  /** Another version of Node in which it runs. */
  readonly node?: string
}

/** A contender that is ready. */
export interface Entry {
  run(): Promise<Measured>
  close?(): Promise<void>
}

export interface Measured {
  /** In the unit of the case. */
  readonly figure: number
  readonly answer: unknown
  /** Measured around the run, by the process of the contender. */
  readonly cpu?: Cpu
}

/** A goal for the contender `ours` of millrace. */
export interface Goal {
  readonly ours: string
  /** The contender that it is compared with. A goal without one is about the figure itself. */
  readonly against?: string
  /**
   * `advantage`: ours is this many times better. `cost`: ours is at most this many times worse. `growth`: ours minus
   * the other. `figure`: ours.
   */
  readonly measure: 'advantage' | 'cost' | 'growth' | 'figure'
  readonly atLeast?: number
  readonly atMost?: number
}

/** The reason why a contender is left out, such as a missing Python. */
export class NotMeasured extends Error {}

export const SECONDS: Unit = { name: 's', digits: 3, better: 'less' }

/** The time from the call to the answer. */
export function timed(work: () => unknown): () => Promise<Measured> {
  return async () => {
    const start = performance.now()
    const answer = await work()
    return { figure: (performance.now() - start) / 1_000, answer }
  }
}
