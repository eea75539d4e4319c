/**
 * The protocol of a cluster as a model: producer and hosts on a broker that loses, doubles and delays messages. The
 * broker is restarted, and loses what it has stored. Hosts die. Each outcome comes exactly once, and nothing hangs.
 */
import { OpenChunk } from '#dist/cluster/open-chunk.js'
import type { Outcomes } from '#dist/cluster/sendable.js'
import { times } from '../support/volume.js'
import { World, type Planted } from '../support/cluster/world.js'

const ITEMS = 60
const BLOCK = 100
/** In which each of the planted faults shows. */
const ENOUGH = 400

async function run(seed: number, planted?: Planted): Promise<string | undefined> {
  return await new World({ seed, planted }).run(ITEMS)
}

describe('a cluster', () => {
  const blocks = Array.from({ length: times(2, 50) }, (_, block) => 1 + block * BLOCK)

  it.each(blocks)('gives each outcome exactly once, whatever fails: seeds from %d on', async (first) => {
    for (let seed = first; seed < first + BLOCK; seed++) expect([seed, await run(seed)]).toEqual([seed, undefined])
  })
})

describe('the model finds a protocol', () => {
  async function firstFault(planted?: Planted): Promise<string | undefined> {
    for (let seed = 1; seed <= ENOUGH; seed++) {
      const fault = await run(seed, planted)
      if (fault !== undefined) return fault
    }
    return undefined
  }

  it.each([
    ['without an audit', 'audit'],
    ['that takes all messages of the broker for ones that it delivers', 'floor'],
    ['that delivers a unit without end', 'lost'],
  ] as const)('%s', async (_, planted) => {
    expect(await firstFault(planted)).toMatch(/^it hangs/)
  })

  it('that takes outcomes again', async () => {
    const { prototype } = OpenChunk
    // eslint-disable-next-line @typescript-eslint/unbound-method -- It is called with its object.
    const { take } = prototype
    const forgetful = function (this: OpenChunk, outcomes: Outcomes, isLast: boolean): ReturnType<typeof take> {
      const first = take.call(this, outcomes, isLast)
      if (first.taken === outcomes.count) return first
      const again = take.call(new OpenChunk(this.chunk, { kind: 'map', ordered: false }), outcomes, isLast)
      return { taken: first.taken, parts: again.parts.map((part) => ({ ...part, last: false })) }
    }
    prototype.take = forgetful
    try {
      expect(await firstFault()).toBeDefined()
    } finally {
      prototype.take = take
    }
  })
})
