/** Random cases of the model in `support/model.ts`: each gives the consumer what a few lines of sequential code say. */
import { numbers } from '../fixtures/contract-b-ways.js'
import { caseOf, runCase } from '../support/model.js'

const SEEDS = 40

describe('a stream gives what the sequential model says', () => {
  const size = 10
  for (let first = 1; first <= SEEDS; first += size) {
    it(`with seeds ${first} to ${first + size - 1}: npm run fuzz -- --seconds 0 --seed N runs one`, async () => {
      for (const seed of numbers(size).map((n) => first + n)) {
        expect({ seed, wrong: await runCase(caseOf(seed)) }).toEqual({ seed, wrong: undefined })
      }
    })
  }
})
