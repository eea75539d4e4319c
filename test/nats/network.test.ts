/** The network of a producer fails, on a real server: each outcome comes once, and the stream goes on at once. */
import { fleetOfEach, gapWith, WINDOW_UNITS } from '../support/nats-fleet.js'

const fleet = fleetOfEach()

it.each([
  ['connections are reset', 'cut'],
  ['no byte passes', 'stalled'],
] as const)('the producer is cut off for 8 s: %s', async (_, state) => {
  const { cluster, networks } = fleet()
  const gap = await gapWith(cluster, () => networks.producer.fail(state, 8_000))
  expect(gap).toBeLessThan(14_000)
  const { duplicates, sentAgain } = cluster.stats()
  // A unit may have several results.
  expect(duplicates + sentAgain).toBeLessThanOrEqual(2 * WINDOW_UNITS)
})

it('the connection of the producer is half open: it is given up, and results on their way come again', async () => {
  const { cluster, networks } = fleet()
  const gap = await gapWith(cluster, () => networks.producer.fail('silent', 1_000))
  // Three pings, 5 s apart.
  expect(gap).toBeGreaterThan(10_000)
  expect(gap).toBeLessThan(25_000)
  const { duplicates, sentAgain } = cluster.stats()
  // A unit may have several results.
  expect(duplicates + sentAgain).toBeLessThanOrEqual(2 * WINDOW_UNITS)
})
