/** Many streams that end in every way, on one cluster: nothing of them is left, at the server, at hosts or here. */
import { double, failing } from '../fixtures/nats-tasks.js'
import { fleetOfEach, RESULTS, TASKS } from '../support/nats-fleet.js'
import { times } from '../support/volume.js'

/** Three streams each. */
const ROUNDS = times(34, 334)

const fleet = fleetOfEach()
const items = Array.from({ length: 40 }, (_, n) => n + 1)

it('streams that are left, aborted or fail leave nothing behind', async () => {
  const { cluster, manager } = fleet()
  const { imap } = cluster
  const before = process.getActiveResourcesInfo().length
  for (let round = 0; round < ROUNDS; round++) {
    for await (const n of imap(double, items, { chunksize: 5 })) {
      expect(n).toBe(2)
      break
    }
    const controller = new AbortController()
    const aborted = imap(double, items, { chunksize: 5, signal: controller.signal })
    expect((await aborted.next()).value).toBe(2)
    controller.abort()
    await expect(aborted.next()).rejects.toBe(controller.signal.reason)
    await expect(imap(failing, items, { chunksize: 5 }).toArray()).rejects.toThrow(RangeError)
  }
  // Hosts are told that the streams have ended.
  while ((await manager.streams.info(TASKS)).state.messages > 0);
  const held = async (): Promise<number> => (await cluster.hosts()).reduce((sum, host) => sum + host.held, 0)
  while ((await held()) > 0);
  expect(cluster.stats()).toMatchObject({ out: 0, bytes: 0, connected: true })
  expect((await manager.streams.info(RESULTS)).state).toMatchObject({ messages: 0, consumer_count: 1 })
  expect((await manager.streams.info(TASKS)).state.consumer_count).toBe(1)
  // Not one for each stream: timers of the connection come and go.
  expect(process.getActiveResourcesInfo().length).toBeLessThan(before + 10)
  expect(await cluster.map(double, [1, 2, 3])).toEqual([2, 4, 6])
})
