/** piscina with the options that make it fastest where tasks are many and tiny: several in each worker, no statistics. */
import { FixedQueue } from 'piscina'
import type { Peer } from './peer.js'
import { open as openPiscina } from './piscina.js'

export function open(): Peer {
  return openPiscina({ concurrentTasksPerWorker: 32, recordTiming: false, taskQueue: new FixedQueue() })
}
