/** What a case is: contenders that do the same work, and the goals that millrace is held to. Types, and how to make them. */

/** One question about speed or memory. `P` is what the contenders are told: plain data, as it goes to their processes. */
export interface Case<P = unknown> {
  /** As on the command line; also the name of its file. */
  readonly name: string
  readonly title: string
  readonly unit: Unit
  readonly contenders: readonly Contender<P>[]
  readonly goals: readonly Goal[]
  /** Each measurement has a process of its own, and so there is no warm-up. */
  readonly cold?: boolean
  /** Times so many rounds: for measurements that are short, and vary. */
  readonly roundsTimes?: number
  /** Makes ready what the contenders need. `scale` is 1, or less for a quick look. */
  prepare(scale: number): Setting<P> | Promise<Setting<P>>
}

/** What is measured, and how it is written. */
export interface Unit {
  readonly name: string
  readonly digits: number
  /** Which figure is the better one. */
  readonly better: 'less' | 'more'
}

export interface Setting<P = unknown> {
  readonly parameters: P
  /** What every contender must answer, found in another way than theirs. Compared as JSON. */
  readonly answer: unknown
  /** How much work it is, in a few words. */
  readonly about: string
}

/** One way to do the work. */
export interface Contender<P = unknown> {
  readonly name: string
  /** Makes all ready: pools are started here, not on the clock. Throws `NotMeasured` where it cannot run. */
  open?(parameters: P): Entry | Promise<Entry>
  /** In the place of `open`: the function in `peers/pool_imap.py` that does it. */
  readonly python?: string
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
}

/** What is asked of millrace's contender `ours`. */
export interface Goal {
  readonly ours: string
  /** What it is compared with; a goal without is about the figure itself. */
  readonly against?: string
  /**
   * `advantage`: how many times better ours is. `cost`: how many times worse, at most. `growth`: ours minus the other.
   * `figure`: ours.
   */
  readonly measure: 'advantage' | 'cost' | 'growth' | 'figure'
  readonly atLeast?: number
  readonly atMost?: number
}

/** Why a contender is left out: no Python, say. */
export class NotMeasured extends Error {}

export const SECONDS: Unit = { name: 's', digits: 3, better: 'less' }

/** The time from the call until the answer is there. */
export function timed(work: () => unknown): () => Promise<Measured> {
  return async () => {
    const start = performance.now()
    const answer = await work()
    return { figure: (performance.now() - start) / 1_000, answer }
  }
}
