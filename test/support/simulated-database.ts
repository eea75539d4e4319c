/** A database in memory with transactions, and a table of positions. Each transaction is a step that tests can stop at. */
import { step, type Step, type StepName } from '#dist/disk/steps.js'
import type { CommitContext, CommitTarget } from '#dist/sinks/commit-options.js'

/** The name of the step. It is not one on disk. */
const COMMIT = 'database.commit' as StepName

export function isCommit({ name }: Step): boolean {
  return name === COMMIT
}

interface State {
  readonly rows: readonly unknown[]
  readonly position: string | null
}

export class SimulatedDatabase implements CommitTarget<unknown> {
  #state: State = { rows: [], position: null }
  /** How many items each transaction had. */
  readonly transactions: number[] = []

  get rows(): readonly unknown[] {
    return this.#state.rows
  }

  get stored(): string | null {
    return this.#state.position
  }

  position(): string | null {
    return this.#state.position
  }

  /** @returns False if another position is stored. */
  async commit(items: unknown[], position: string, { previous, first }: CommitContext): Promise<boolean> {
    const take = (): Promise<boolean> => {
      if (previous !== this.#state.position) return Promise.resolve(false)
      if (first !== this.rows.length) throw new Error(`${first} is not the number of the next item`)
      this.#state = { rows: [...this.#state.rows, ...items], position }
      this.transactions.push(items.length)
      return Promise.resolve(true)
    }
    return await step({ name: COMMIT, path: '' }, take)
  }
}
