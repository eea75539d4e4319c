/**
 * Measures a case in rounds. In each round each contender runs once, one after the other. The order changes. So if the
 * machine is slow for a while, it is slow for all of them.
 */
import { isDeepStrictEqual } from 'node:util'
import { NotMeasured, type Case, type Contender, type Setting } from './case.js'
import type { Cpu } from './cpu.js'
import { Program } from './program.js'

/** The outcome of one contender. */
export interface Outcome {
  readonly name: string
  /** One for each round; none if there is a `reason`. */
  readonly figures: readonly number[]
  /** The same for CPU time. None if the contender does not tell it. */
  readonly cpus: readonly Cpu[]
  /** The reason why it was left out. */
  readonly missing?: string
  /** It failed, or its answer is wrong. */
  readonly wrong?: string
}

/**
 * Outcomes in the order of the contenders. Before the first round comes one that does not count, unless the case is
 * cold.
 */
export async function measure(one: Case, setting: Setting, rounds: number): Promise<Outcome[]> {
  const lanes = one.contenders.map((contender) => new Lane(one, contender, setting))
  try {
    if (one.cold !== true) for (const lane of shuffled(lanes)) await lane.measure()
    for (let round = 0; round < rounds; round++) {
      for (const lane of shuffled(lanes)) await lane.measure(round)
    }
  } finally {
    for (const lane of lanes) await lane.stop()
  }
  return lanes.map((lane) => lane.outcome)
}

/**
 * A contender and its program. The program stays for all rounds, and is idle while others run. So each contender has
 * its own compiled code, heap and threads. In a cold case each measurement has its own program.
 */
class Lane {
  readonly #case: Case
  readonly #contender: Contender
  readonly #setting: Setting
  readonly #figures: number[] = []
  readonly #cpus: Cpu[] = []
  #program: Program | undefined
  #missing: string | undefined
  #wrong: string | undefined

  constructor(one: Case, contender: Contender, setting: Setting) {
    this.#case = one
    this.#contender = contender
    this.#setting = setting
  }

  get outcome(): Outcome {
    const { name } = this.#contender
    if (this.#missing !== undefined) return { name, figures: [], cpus: [], missing: this.#missing }
    if (this.#wrong !== undefined) return { name, figures: [], cpus: [], wrong: this.#wrong }
    return { name, figures: this.#figures, cpus: this.#cpus }
  }

  /** Runs once. The figure counts if a round is given. */
  async measure(round?: number): Promise<void> {
    if (this.#missing !== undefined || this.#wrong !== undefined) return
    try {
      this.#program ??= await Program.start(this.#case, this.#contender, this.#setting.parameters)
      const { figure, answer, cpu } = await this.#program.ask()
      if (!isDeepStrictEqual(answer, this.#setting.answer)) {
        this.#wrong = `answered ${shown(answer)} in the place of ${shown(this.#setting.answer)}`
      }
      if (round !== undefined) this.#figures[round] = figure
      if (round !== undefined && cpu !== undefined) this.#cpus[round] = cpu
      if (this.#case.cold === true) await this.stop()
    } catch (error) {
      if (error instanceof NotMeasured) this.#missing = error.message
      else this.#wrong = String(error)
    }
  }

  async stop(): Promise<void> {
    await this.#program?.stop()
    this.#program = undefined
  }
}

function shown(answer: unknown): string {
  const text = JSON.stringify(answer)
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}

/** A new array in random order (Fisher and Yates). */
function shuffled<T>(list: readonly T[]): T[] {
  const result: T[] = []
  list.forEach((element, i) => {
    const place = Math.floor(Math.random() * (i + 1))
    result.splice(place, 0, element)
  })
  return result
}
