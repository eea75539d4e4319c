/** The network of a host fails, on a real server: others run its units, and it serves again. */
import { double } from '../fixtures/nats-tasks.js'
import { fleetOfEach, gapWith } from '../support/nats-fleet.js'

const fleet = fleetOfEach()

it.each([
  ['its connection is reset', 'cut'],
  ['no byte passes', 'stalled'],
  ['its connection is half open', 'silent'],
] as const)('a host is cut off for 8 s: %s', async (_, state) => {
  const { cluster, networks } = fleet()
  const gap = await gapWith(cluster, () => networks.host.fail(state, 8_000))
  expect(gap).toBeLessThan(12_000)
  expect(await cluster.ready({ hosts: 2, timeout: 30_000 })).toHaveLength(2)
  expect(await cluster.map(double, [1, 2, 3])).toEqual([2, 4, 6])
})
