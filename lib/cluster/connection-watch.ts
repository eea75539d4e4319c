/** Tells of the losses of a connection, and of its returns. Not of those that are wanted. */
import { connectionBack, connectionLost } from '../log/cluster-events.js'
import type { ClusterMember } from '../log/events.js'
import type { Broker } from './broker.js'
import type { Clock } from './clock.js'

/** @param isUsed Whether the connection is needed: asked at each change. */
export function watchConnection(broker: Broker, clock: Clock, member: ClusterMember, isUsed: () => boolean): void {
  let lostAt: number | undefined
  broker.onChange((isUp) => {
    const since = lostAt
    lostAt = isUp ? undefined : (since ?? clock.now())
    if (!isUsed()) return
    if (!isUp && since === undefined) connectionLost(member)
    else if (isUp && since !== undefined) connectionBack(member, clock.now() - since)
  })
}
