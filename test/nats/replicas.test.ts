/** Streams that three servers keep, of which one is lost: each outcome comes once. */
import { jetstreamManager, type StreamInfo } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { Cluster } from 'millrace/nats'
import { double } from '../fixtures/nats-tasks.js'
import { command, startHost } from '../support/command.js'
import { gapWith, RESULTS, TASKS } from '../support/nats-fleet.js'
import { NatsTrio } from '../support/nats-trio.js'

const leaderOf = ({ cluster }: StreamInfo): string | undefined => cluster?.leader
const followerOf = ({ cluster }: StreamInfo): string | undefined => cluster?.replicas?.[0]?.name

async function infoOf(stream: string, servers: string[]): Promise<StreamInfo> {
  const connection = await connect({ servers })
  try {
    return await (await jetstreamManager(connection)).streams.info(stream)
  } finally {
    await connection.close()
  }
}

it.each([
  ['leads the stream of units', TASKS, leaderOf],
  ['leads the stream of results', RESULTS, leaderOf],
  ['follows', TASKS, followerOf],
])('one of three servers is killed, which %s: no outcome is lost', async (_role, stream, nameOf) => {
  await using trio = await NatsTrio.start()
  const [first = '', ...others] = trio.urls
  const flags = others.flatMap((url) => ['--servers', url])
  // The servers may not have chosen a leader yet.
  expect(await command(['setup', '--servers', first, ...flags, '--replicas', '3'])).toMatchObject({ code: 0 })
  await using one = await startHost(first, [...flags, '--name', 'one'])
  await using other = await startHost(first, [...flags, '--name', 'two'])
  await using cluster = new Cluster({ servers: trio.urls })
  await cluster.ready({ hosts: 2 })
  const gap = await gapWith(cluster, async () => {
    const server = trio.server(nameOf(await infoOf(stream, trio.urls)))
    await server.kill()
    // It comes back while the others go on.
    await server.start()
  })
  expect(gap).toBeLessThan(30_000)
  expect(await cluster.map(double, [1, 2, 3])).toEqual([2, 4, 6])
  for (const host of [one, other]) {
    host.kill('SIGTERM')
    expect(await host.ended()).toBe(0)
  }
})
