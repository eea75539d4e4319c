/** The network of a producer fails for long, on a real server. Results wait for it at the server. */
import { fleetOfEach, gapWith, WINDOW_UNITS } from '../support/nats-fleet.js'

const fleet = fleetOfEach()

it.each([
  [15_000, 'cut'],
  [15_000, 'stalled'],
  [40_000, 'cut'],
  [40_000, 'stalled'],
] as const)('the producer is cut off for %d ms: %s', async (ms, state) => {
  const { cluster, networks } = fleet()
  const gap = await gapWith(cluster, () => networks.producer.fail(state, ms))
  // A connection that stalls for long is given up, in the worst case at the moment in which it goes on.
  expect(gap).toBeLessThan(ms + 10_000)
  const { duplicates, sentAgain } = cluster.stats()
  expect(duplicates + sentAgain).toBeLessThanOrEqual(WINDOW_UNITS)
})
