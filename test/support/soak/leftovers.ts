/** What is left at a server after all streams have ended: nothing that anybody would get. */
import { setTimeout as sleep } from 'node:timers/promises'
import { jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'

const TASKS = 'millrace-default-tasks-any'
const RESULTS = 'millrace-default-results'
/** How long the server and the hosts may take, in milliseconds. */
const LEFT_MS = 60_000
/** A unit that was given to a host which has ended comes again within this time, in milliseconds. */
const AGAIN_MS = 10_000
const MANY = 1_000

/**
 * Ends the hosts, and then asks for units as a host does. What comes was forgotten. The server's own figures do not tell:
 * nats-server 2.9 that was killed can keep and count messages that were acknowledged, and never deliver them.
 *
 * @param endHosts What they held comes again.
 */
export async function leftovers(url: string, endHosts: () => Promise<void>): Promise<string[]> {
  const connection = await connect({ servers: url })
  const manager = await jetstreamManager(connection)
  try {
    const results = await resultsLeft(manager)
    const waiting = await untilIdle(manager)
    await endHosts()
    const units = await unitsLeft(connection, manager)
    const { messages } = (await manager.streams.info(TASKS)).state
    if (messages > 0)
      console.log(`The server keeps ${messages} units that it never delivers, and counts ${waiting} of them`)
    return [...results, ...units]
  } finally {
    await connection.close()
  }
}

/** Those of producers that have ended vanish with their consumers. */
async function resultsLeft(manager: JetStreamManager): Promise<string[]> {
  const end = performance.now() + LEFT_MS
  for (;;) {
    const { messages, consumer_count: consumers } = (await manager.streams.info(RESULTS)).state
    if (messages + consumers === 0) return []
    if (performance.now() > end) return [`${messages} results and ${consumers} consumers of results are left`]
    await sleep(1_000)
  }
}

/** Until no unit waits or runs. @returns How many do so at the end, by the server's figures. */
async function untilIdle(manager: JetStreamManager): Promise<number> {
  const end = performance.now() + LEFT_MS
  for (;;) {
    let waiting = 0
    for await (const info of manager.consumers.list(TASKS)) waiting += info.num_pending + info.num_ack_pending
    if (waiting === 0 || performance.now() > end) return waiting
    await sleep(1_000)
  }
}

async function unitsLeft(connection: NatsConnection, manager: JetStreamManager): Promise<string[]> {
  const left: string[] = []
  for await (const { name } of manager.consumers.list(TASKS)) {
    const consumer = await jetstream(connection).consumers.get(TASKS, name)
    for await (const unit of await consumer.fetch({ max_messages: MANY, expires: AGAIN_MS })) {
      left.push(`${unit.subject} was left, and is delivered for the ${unit.info.deliveryCount}th time`)
      unit.term()
    }
  }
  return left
}
