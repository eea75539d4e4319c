/** A disk that is full, or that fails, at any step of a run: it ends with that error, and the next run goes on. */
import { mkdirSync, rmSync } from 'node:fs'
import { watchSteps, type StepName } from '#dist/disk/steps.js'
import { useFolder } from '../sinks/folder.js'
import { watchRejections } from '../support/rejections.js'
import { contentsOf, jobs, runToEnd, type Job } from '../support/resumable-jobs.js'

const folder = useFolder()
watchRejections()

const at = (name: string): string => folder.at('run', name)
/** Runs a job. One step fails. @returns Its error, if there is one, and how many steps there were. */
async function failing(job: Job, failed: number, code: string): Promise<{ error?: unknown; steps: StepName[] }> {
  const steps: StepName[] = []
  watchSteps((step, take) => {
    const number = steps.push(step.name) - 1
    if (number !== failed) return take()
    return Promise.reject(Object.assign(new Error(`${code}: ${step.name}`), { code, errno: -5, syscall: 'write' }))
  })
  try {
    await job(at)
    return { steps }
  } catch (error) {
    return { error, steps }
  } finally {
    watchSteps(undefined)
  }
}

/** Steps that only tidy up, and one that is done in another way, too: a run may succeed without them. */
const TIDYING: ReadonlySet<StepName> = new Set(['lock.unlink', 'created.unlink', 'output.link'])

/** The library does not look at the code: one for each kind of outputs. */
const CODES = ['ENOSPC', 'EIO', 'EDQUOT']

it.each(Object.entries(jobs).map(([name, job], at) => [name, CODES[at] ?? 'EIO', job] as const))(
  '%s, %s at each step',
  async (_, code, job) => {
    mkdirSync(folder.at('run'))
    const { steps } = await failing(job, -1, code)
    const files = contentsOf(folder.at('run'))
    for (let failed = 0; failed < steps.length; failed++) {
      rmSync(folder.at('run'), { recursive: true })
      mkdirSync(folder.at('run'))
      const { error, steps: taken } = await failing(job, failed, code)
      const name = taken[failed]
      if (error === undefined) {
        // It may also have taken fewer steps, as some depend on the time.
        expect(name === undefined || TIDYING.has(name) ? 'succeeds' : name).toBe('succeeds')
      } else expect({ name, error }).toMatchObject({ name, error: { code } })
      expect({ name, end: await runToEnd(job, folder.at('run'), at).catch(String) }).toEqual({ name, end: undefined })
      expect({ name, files: contentsOf(folder.at('run')) }).toEqual({ name, files })
    }
  },
)
