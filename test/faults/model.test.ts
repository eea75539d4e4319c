/** Random cases of the model in `support/model.ts`: each gives the consumer the results that sequential code gives. */
import { numbers } from '../fixtures/contract-b-ways.js'
import { caseOf, findFault } from '../support/model.js'
import { isFullOnProcesses, times } from '../support/volume.js'

const ROUNDS = times(1, 4)
/** The time limits of a case, and of making a failing case smaller, in milliseconds: the test must end to report it. */
const LIMITS = { limit: 20_000, milliseconds: 8_000 }

describe('a stream gives what the sequential model says', () => {
  // A process takes long to start: cases that need many of them would take longer than a test may.
  const onProcesses = numbers(200)
    .filter((seed) => caseOf(seed).maxTasksPerWorker === undefined && caseOf(seed).deeds.length <= 30)
    .slice(0, isFullOnProcesses ? 20 : 2)
  it(`on worker processes, with seeds ${onProcesses.join()}`, async () => {
    for (const seed of onProcesses) {
      const said: string[] = []
      await findFault(seed, (line) => said.push(line), { ...LIMITS, isolation: 'process' })
      expect(said).toEqual([])
    }
  })

  const size = times(3, 10)
  for (let first = 1; first <= ROUNDS * size; first += size) {
    it(`with seeds ${first} to ${first + size - 1}: npm run stress -- fuzz --seconds 0 --seed N runs one`, async () => {
      for (const seed of numbers(size).map((n) => first + n)) {
        const said: string[] = []
        await findFault(seed, (line) => said.push(line), LIMITS)
        expect(said).toEqual([])
      }
    })
  }
})
