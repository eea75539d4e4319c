/** Hosts are killed one after the other, and others come, while a stream runs: each outcome comes once, and nothing is left. */
import { double, pause } from '../fixtures/nats-tasks.js'
import { startHost } from '../support/command.js'
import { fleetOfEach, RESULTS, TASKS } from '../support/nats-fleet.js'
import { times } from '../support/volume.js'

/** In a stream, and how many streams. */
const DEATHS = times(4, 25)
const STREAMS = times(1, 4)

const fleet = fleetOfEach()

it.each(Array.from({ length: STREAMS }, (_, n) => n + 1))(
  `${DEATHS} hosts die in a row: no outcome is lost or comes twice (%d)`,
  async () => {
    const { server, hosts, cluster, manager } = fleet()
    const results: number[] = []
    let isOver = false
    let sent = 0
    function* source(): Generator<number> {
      // Until the last death, and some more.
      for (let more = 200; more > 0; sent++) {
        if (isOver) more--
        yield 5 + (sent % 3)
      }
    }
    const killed = (async () => {
      for (let death = 0; death < DEATHS; death++) {
        const before = results.length
        while (results.length < before + 20) await new Promise(setImmediate)
        hosts.shift()?.kill('SIGKILL')
        hosts.push(await startHost(server.url, ['--name', `next-${death}`]))
      }
      isOver = true
    })()
    for await (const result of cluster.imap(pause, source(), { chunksize: 2, window: 32 })) results.push(result)
    await killed
    expect(results).toEqual(Array.from({ length: sent }, (_, n) => 5 + (n % 3)))
    expect(cluster.stats()).toMatchObject({ out: 0, bytes: 0 })
    expect(await cluster.hosts()).toHaveLength(2)
    // A host that was killed may have had a unit twice: the server drops it when its acknowledgement has come.
    while ((await manager.streams.info(TASKS)).state.messages > 0) await new Promise(setImmediate)
    expect((await manager.streams.info(TASKS)).state.consumer_count).toBe(1)
    expect((await manager.streams.info(RESULTS)).state.consumer_count).toBe(1)
    expect(await cluster.map(double, [1, 2, 3])).toEqual([2, 4, 6])
  },
)
