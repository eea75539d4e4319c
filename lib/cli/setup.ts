/** `millrace setup`: creates the streams of a group, or changes their settings. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ClusterError } from '../cluster/errors.js'
import { BrokerError, type StreamOptions } from '../cluster/broker.js'
import type { NatsBroker } from '../nats/broker.js'
import type { StreamChange, StreamSettings } from '../nats/streams.js'
import { readFlags, type Command, type Flags } from './command.js'
import { brokerOf, CONNECT_MS, CONNECTION_FLAGS } from './connection-flags.js'

/** Between two tries, in milliseconds. */
const PAUSE_MS = 200

const flags: Flags = {
  ...CONNECTION_FLAGS,
  replicas: { type: 'string', value: 'N', help: 'how many servers keep each message, 1 to 5. Default: 1' },
  'max-bytes': { type: 'string', value: 'SIZE', help: 'the most bytes of each stream, such as 10GiB. Default: 1GiB' },
  storage: { type: 'string', value: 'KIND', help: "'file' or 'memory'. It cannot be changed later. Default: file" },
}

export const setup: Command = {
  summary: 'Create or change the streams of a group',
  flags,
  async run(args) {
    const { values } = readFlags(flags, args, false)
    const storage = values.matching('storage', "'file' or 'memory'", (text) => /^(file|memory)$/.test(text))
    const settings = {
      replicas: values.integer('replicas', 1, 5),
      maxBytes: values.size('max-bytes'),
      storage: storage as 'file' | 'memory' | undefined,
    }
    const { broker, names } = brokerOf(values, 'setup', '_INBOX', CONNECT_MS)
    await broker.open()
    try {
      for (const stream of names.streams) {
        const change = await setUp(broker, stream, settings)
        console.log(`${stream.name}: ${change}`)
      }
      return 0
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      throw new ClusterError(error.message, error.fault === 'forbidden' ? 'ERR_CLUSTER_REFUSED' : 'ERR_CLUSTER_SETUP', {
        cause: error,
      })
    } finally {
      await broker.close()
    }
  },
}

/** Tries for a while: servers that have just started as a cluster have no leader yet. @throws BrokerError */
async function setUp(broker: NatsBroker, stream: StreamOptions, settings: StreamSettings): Promise<StreamChange> {
  const until = performance.now() + CONNECT_MS
  for (;;) {
    try {
      return await broker.setUpStream(stream, settings)
    } catch (error) {
      const isPassing = error instanceof BrokerError && (error.fault === 'timeout' || error.fault === 'down')
      if (!isPassing || performance.now() > until) throw error
    }
    await sleep(PAUSE_MS)
  }
}
