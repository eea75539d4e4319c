/** What programs of a cluster tell about their connection, and about chunks that run again: by channels, and in the log. */
import { channel } from 'node:diagnostics_channel'
import { currentProcess } from '../identity.js'
import { log, type ChunkAgain, type ClusterEvent, type ClusterMember, type ThreadEvent } from './events.js'

const down = channel('millrace:cluster:down')
const up = channel('millrace:cluster:up')
const again = channel('millrace:chunk:again')

export function connectionLost(member: ClusterMember): void {
  const event: ClusterEvent = { ...thisThread(), ...member }
  down.publish(event)
  log('warn', event, () => `${nameOf(member)} has lost the connection`)
}

/** @param downtime In milliseconds. */
export function connectionBack(member: ClusterMember, downtime: number): void {
  const event: ClusterEvent & { readonly downtime: number } = { ...thisThread(), ...member, downtime }
  up.publish(event)
  log('warn', event, () => `${nameOf(member)} has the connection again, after ${(downtime / 1_000).toFixed(1)} s`)
}

export function chunkAgain(member: ClusterMember, chunk: Omit<ChunkAgain, keyof ClusterEvent>): void {
  const event: ChunkAgain = { ...thisThread(), ...member, ...chunk }
  again.publish(event)
  const { task, index, items, times } = chunk
  const where = `${items} from item ${index} of task '${task}'`
  const why = member.role === 'host' ? 'other hosts did not finish them' : 'the server has lost them'
  const does = member.role === 'host' ? 'runs' : 'sends'
  log('warn', event, () => `${nameOf(member)} ${does} items again (${where}, ${times} times) as ${why}`)
}

function thisThread(): ThreadEvent {
  const { name, pid } = currentProcess()
  return { name, pid }
}

function nameOf({ role, namespace, group, host }: ClusterMember): string {
  return `${role === 'host' ? `host '${host ?? ''}'` : 'the producer'} of cluster '${namespace}', group '${group}',`
}
