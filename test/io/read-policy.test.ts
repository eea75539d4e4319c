/** Which blocks of a file the thread pool reads ahead. */
import { ReadPolicy } from '#dist/io/read-policy.js'

/** How many blocks are read ahead before this thread reads one. */
function ahead(policy: ReadPolicy): number {
  let count = 0
  while (policy.takesAhead()) count++
  return count
}

describe('ReadPolicy', () => {
  it('has the first block read ahead, and reads the others here as long as that is fast', () => {
    const policy = new ReadPolicy()
    expect(ahead(policy)).toBe(1)
    for (let block = 0; block < 100; block++) {
      expect(ahead(policy)).toBe(0)
      policy.record(0.1)
    }
  })

  it('has more and more blocks read ahead after slow ones', () => {
    const policy = new ReadPolicy()
    ahead(policy)
    const counts = Array.from({ length: 9 }, () => {
      policy.record(3)
      return ahead(policy)
    })
    expect(counts).toEqual([16, 32, 64, 128, 256, 512, 1_024, 1_024, 1_024])
  })

  it('forgets slow ones after a fast one', () => {
    const policy = new ReadPolicy()
    ahead(policy)
    policy.record(3)
    policy.record(3)
    ahead(policy)
    policy.record(0.1)
    policy.record(3)
    expect(ahead(policy)).toBe(16)
  })
})
