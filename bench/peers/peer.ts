/** A worker pool as the cases use it: one promise for each task, which all pools offer. */
import type * as Functions from './functions.js'

export type FunctionName = keyof typeof Functions
type Argument<K extends FunctionName> = Parameters<(typeof Functions)[K]>[0]
type Result<K extends FunctionName> = ReturnType<(typeof Functions)[K]>

export interface Peer {
  /** Runs a function of `functions.ts` in a worker. */
  run<K extends FunctionName>(name: K, argument: Argument<K>): Promise<Result<K>>
  close(): Promise<void>
}

/** The pools, each in a file with its name, and its workers in another. */
export const PEERS = ['piscina', 'tinypool', 'workerpool', 'poolifier', 'threads'] as const
export type PeerName = (typeof PEERS)[number] | 'piscina-tuned'

/** Starts a pool of one thread for each core. Loads only that package. */
export async function openPeer(name: PeerName): Promise<Peer> {
  const { open } = (await import(`./${name}.js`)) as { open: () => Peer | Promise<Peer> }
  return open()
}
