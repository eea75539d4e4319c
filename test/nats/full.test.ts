/** Streams of the server that are full while a stream runs: nothing is lost. */
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { Cluster } from 'millrace/nats'
import { bytesAfter } from '../fixtures/nats-tasks.js'
import { command, startHost } from '../support/command.js'
import { RESULTS, TASKS } from '../support/nats-fleet.js'
import { NatsServer } from '../support/nats-server.js'
import { Proxy } from '../support/proxy.js'

const ITEM_BYTES = 50_000
const ITEMS = 200
/** Room for some items, and not for the window. */
const ROOM = '300KiB'

/** Asks for the state of a stream until it is nearly full. */
async function full(manager: JetStreamManager, stream: string): Promise<void> {
  while ((await manager.streams.info(stream)).state.bytes < 4 * ITEM_BYTES);
}

it.each([
  ['that of units, as hosts are slow', TASKS, { there: ITEM_BYTES, back: 10 }],
  ['that of results, as the producer takes none for a while', RESULTS, { there: 10, back: ITEM_BYTES }],
])('%s: each item has its result, in order', async (_role, stream, { there, back }) => {
  await using server = await NatsServer.start()
  expect(await command(['setup', '--servers', server.url, '--max-bytes', ROOM])).toMatchObject({ code: 0 })
  await using _ = await startHost(server.url, ['--slots', '2'])
  const connection = await connect({ servers: server.url })
  const seen = full(await jetstreamManager(connection), stream)
  try {
    await using network = await Proxy.start(server.port)
    await using cluster = new Cluster({ servers: network.url })
    await cluster.ready({ hosts: 1 })
    function* source(): Generator<{ n: number; back: number; pad: Uint8Array }> {
      for (let n = 0; n < ITEMS; n++) yield { n, back, pad: new Uint8Array(there) }
    }
    const given: number[] = []
    let stalled: Promise<unknown> | undefined
    for await (const bytes of cluster.imap(bytesAfter, source(), { chunksize: 1, window: 32 })) {
      given.push(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0))
      expect(bytes).toHaveLength(back)
      if (given.length === 1 && stream === RESULTS) stalled = network.fail('stalled', 2_000)
    }
    expect(given).toEqual(Array.from({ length: ITEMS }, (_, n) => n))
    await Promise.all([seen, stalled])
  } finally {
    await connection.close()
  }
})
