/** What is left in a process that has had many streams, deaths and pools: nothing; and it ends by itself. */
import { runProgram } from '../support/programs.js'

interface Left {
  readonly resources: readonly string[]
  readonly listeners: number
  readonly threads: number
  readonly heap: number
}

/** Less than a thousandth of what is done may cost for ever, in bytes in all: a closure kept by each would be more. */
const SLACK = 1 << 20

describe('nothing is left behind by', () => {
  for (const [what, times] of [
    ['streams', 1_000],
    ['crashes', 125],
    ['pools', 200],
  ] as const) {
    it(`${times} ${what}${what === 'crashes' ? ' of two workers each' : ''}`, async () => {
      const args = [what, String(times)]
      const ending = await runProgram('leaks.js', args, { execArgv: ['--expose-gc'], limit: 55_000 })
      expect(ending).toMatchObject({ code: 0, signal: null, stderr: '' })
      const [before, after] = JSON.parse(ending.stdout) as [Left, Left]
      expect(after).toMatchObject({ resources: before.resources, listeners: before.listeners })
      expect(after.threads).toBeLessThanOrEqual(before.threads)
      expect(after.heap - before.heap).toBeLessThan(SLACK)
    })
  }
})
