/** A run that is stopped at any step on disk, or whose disk loses what was not synced: the next one gives the same files. */
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { STEPS, type StepName } from '#dist/disk/steps.js'
import { useFolder } from '../sinks/folder.js'
import { abandonLocks, contentsOf, jobs, runToEnd, type Job } from '../support/resumable-jobs.js'
import { SimulatedDisk, type Survival } from '../support/simulated-disk.js'
import { stoppedAt, type Stop } from '../support/stopped-steps.js'
import { watchRejections } from '../support/rejections.js'
import { isFull, times } from '../support/volume.js'

const folder = useFolder()
watchRejections()

/** In fast tests, the stops are at each step with a number of this kind. */
const STRIDE = isFull ? 1 : 13

const at = (name: string): string => folder.at('run', name)

/** An empty folder. @param isOld Whether there are files that the run replaces. */
function begin(isOld: boolean): void {
  rmSync(folder.at('run'), { recursive: true, force: true })
  mkdirSync(folder.at('run'))
  if (!isOld) return
  for (const name of ['a.csv', 'bad.ndjson']) writeFileSync(at(name), 'old')
}

/** The files of a run without a stop, and how many steps it took. */
async function whole(job: Job): Promise<{ readonly files: Record<string, string>; readonly steps: number }> {
  begin(false)
  const { steps } = await stoppedAt(undefined, () => job(at))
  return { files: contentsOf(folder.at('run')), steps }
}

describe.each(Object.entries(jobs))('%s', (name, job) => {
  const isOld = name.startsWith('a file')

  it('is the same after a kill at any step', async () => {
    const { files, steps } = await whole(job)
    for (let step = 0; step < steps; step += STRIDE) {
      for (const side of ['before', 'behind'] as const) {
        begin(isOld)
        await stoppedAt({ at: step, side }, () => job(at))
        abandonLocks(folder.at('run'))
        await runToEnd(job, folder.at('run'), at)
        expect(contentsOf(folder.at('run'))).toEqual(files)
      }
    }
  })

  it('is the same after several losses of power', async () => {
    const { files, steps } = await whole(job)
    const stop: fc.Arbitrary<Stop> = fc.record({
      at: fc.nat(steps),
      side: fc.constantFrom('before' as const, 'behind' as const),
    })
    const survivals = fc.infiniteStream(fc.constantFrom<Survival>('none', 'half', 'all'))
    await fc.assert(
      fc.asyncProperty(fc.array(stop, { minLength: 1, maxLength: 4 }), survivals, async (stops, chosen) => {
        begin(isOld)
        const disk = new SimulatedDisk(folder.at('run'))
        for (const stop of stops) {
          await stoppedAt(
            stop,
            () => runToEnd(job, folder.at('run'), at),
            (step, run) => disk.take(step, run),
          )
          disk.failPower(() => chosen.next().value as Survival)
          abandonLocks(folder.at('run'))
        }
        await runToEnd(job, folder.at('run'), at)
        expect(contentsOf(folder.at('run'))).toEqual(files)
      }),
      { numRuns: times(8, 60), includeErrorInReport: true },
    )
  })
})

it('each step is taken by one of the runs, and no step is unknown', async () => {
  const seen = new Set<StepName>()
  const watch = (job: Job, stop?: Stop): Promise<unknown> =>
    stoppedAt(
      stop,
      () => (stop === undefined ? runToEnd(job, folder.at('run'), at) : job(at)),
      (step, run) => {
        seen.add(step.name)
        return run()
      },
    )
  for (const [name, job] of Object.entries(jobs)) {
    const { steps } = await whole(job)
    // Before the first checkpoint, and after it.
    for (const share of [0.2, 0.7]) {
      begin(name.startsWith('a file'))
      await watch(job, { at: Math.floor(share * steps), side: 'behind' })
      abandonLocks(folder.at('run'))
      for (const file of Object.keys(contentsOf(folder.at('run')))) {
        if (file.endsWith('.part')) appendFileSync(at(file), 'what was written after the cut')
      }
      await watch(job)
    }
  }
  expect([...seen].sort()).toEqual([...STEPS].sort())
})
