/** A run of `commit()` that is stopped anywhere, and run again: each result is committed once. */
import { mkdirSync, rmSync } from 'node:fs'
import fc from 'fast-check'
import { useFolder } from '../sinks/folder.js'
import { commitJobs, makeInputs, type CommitJob } from '../support/commit-jobs.js'
import { watchRejections } from '../support/rejections.js'
import { abandonLocks, contentsOf } from '../support/resumable-jobs.js'
import { isCommit, SimulatedDatabase } from '../support/simulated-database.js'
import { SimulatedDisk, type Survival } from '../support/simulated-disk.js'
import { stoppedAt, type Stop } from '../support/stopped-steps.js'
import { isFull, times } from '../support/volume.js'

const folder = useFolder()
watchRejections()

/** In fast tests, the stops are at each step with a number of this kind. */
const STRIDE = isFull ? 2 : 7

beforeEach(() => {
  makeInputs(folder.at('inputs'))
})

/** What is there in the end. Failed items of an unordered stream have another order as well. */
interface Outcome {
  readonly rows: readonly unknown[]
  readonly files: Readonly<Record<string, string>>
}

class Runs {
  readonly #job: CommitJob
  database = new SimulatedDatabase()

  constructor(job: CommitJob) {
    this.#job = job
  }

  begin(): void {
    this.database = new SimulatedDatabase()
    rmSync(folder.at('run'), { recursive: true, force: true })
    mkdirSync(folder.at('run'))
  }

  readonly run = (): Promise<unknown> => this.#job.run(this.database, folder.at('inputs'), folder.at('run'))

  outcome(): Outcome {
    const { isOrdered } = this.#job
    const rows = isOrdered ? this.database.rows : this.database.rows.map((row) => JSON.stringify(row)).sort()
    const files = Object.entries(contentsOf(folder.at('run')))
    return {
      rows,
      files: Object.fromEntries(
        files.map(([name, text]) => [name, isOrdered ? text : text.split('\n').sort().join('\n')]),
      ),
    }
  }

  /** Without a stop. @returns What it gives, and how many steps it takes, commits among them. */
  async whole(): Promise<Outcome & { readonly steps: number }> {
    this.begin()
    const { steps } = await stoppedAt(undefined, this.run)
    return { ...this.outcome(), steps }
  }

  /** To the end, and once more. */
  async finish(): Promise<void> {
    abandonLocks(folder.at('run'))
    await this.run()
    const { length } = this.database.transactions
    await this.run()
    expect(this.database.transactions.length).toBe(length)
  }
}

describe.each(Object.entries(commitJobs))('%s', (_, job) => {
  const runs = new Runs(job)

  it('is committed once after a stop at any step', async () => {
    const { steps, ...whole } = await runs.whole()
    expect(runs.database.transactions.length).toBeGreaterThan(4)
    for (let at = 0; at < steps; at += STRIDE) {
      for (const side of ['before', 'behind'] as const) {
        runs.begin()
        await stoppedAt({ at, side }, runs.run)
        await runs.finish()
        expect({ at, side, ...runs.outcome() }).toEqual({ at, side, ...whole })
      }
    }
  })

  it('is committed once after several losses of power', async () => {
    const { steps, ...whole } = await runs.whole()
    const stop: fc.Arbitrary<Stop> = fc.record({ at: fc.nat(steps), side: fc.constantFrom('before', 'behind') })
    const survivals = fc.infiniteStream(fc.constantFrom<Survival>('none', 'half', 'all'))
    await fc.assert(
      fc.asyncProperty(fc.array(stop, { minLength: 1, maxLength: 4 }), survivals, async (stops, chosen) => {
        runs.begin()
        const disk = new SimulatedDisk(folder.at('run'))
        for (const stop of stops) {
          // The database keeps what is committed.
          await stoppedAt(stop, runs.run, (step, run) => (isCommit(step) ? run() : disk.take(step, run)))
          disk.failPower(() => chosen.next().value as Survival)
          abandonLocks(folder.at('run'))
        }
        await runs.finish()
        expect(runs.outcome()).toEqual(whole)
      }),
      { numRuns: times(3, 30), includeErrorInReport: true },
    )
  })
})
