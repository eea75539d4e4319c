/** After many streams, deaths and pools, nothing is left in a process, and it ends by itself. */
import { runProgram } from '../support/programs.js'
import { times } from '../support/volume.js'

interface Left {
  readonly resources: readonly string[]
  readonly listeners: number
  readonly threads: number
  readonly heap: number
}

/** The most memory that may be left, in bytes. A closure for each action would take more. */
const SLACK = 1 << 20

/** In the program, a stream of crashes has this many items. Each ends its worker. */
const CRASHES_PER_STREAM = 10

describe('resources are not left behind by', () => {
  for (const [what, count] of [
    ['streams', times(100, 1_000)],
    ['crashes', times(40, 500)],
    ['pools', times(20, 200)],
  ] as const) {
    it(`${count} ${what}`, async () => {
      const args = [what, String(what === 'crashes' ? count / CRASHES_PER_STREAM : count)]
      const ending = await runProgram('leaks.js', args, { execArgv: ['--expose-gc'], limit: times(55_000, 170_000) })
      expect(ending).toMatchObject({ code: 0, signal: null, stderr: '' })
      const [before, after, crashes] = JSON.parse(ending.stdout) as [Left, Left, number]
      expect(crashes).toBeGreaterThanOrEqual(what === 'crashes' ? count : 0)
      expect(after).toMatchObject({ resources: before.resources, listeners: before.listeners })
      expect(after.threads).toBeLessThanOrEqual(before.threads)
      expect(after.heap - before.heap).toBeLessThan(SLACK)
    })
  }
})
