/** Creates and updates streams of JetStream. `cluster/names.ts` knows which there are. */
import type { JetStreamApiError, JetStreamManager, StreamConfig } from '@nats-io/jetstream'
import type { StreamOptions } from '../cluster/broker.js'

/** What can be chosen when streams are set up. */
export interface StreamSettings {
  /** How many servers keep each message: an integer from 1 to 5. Default: 1. */
  readonly replicas?: number | undefined
  /** The most bytes of each stream. The server reserves them. Default: 1 GiB. */
  readonly maxBytes?: number | undefined
  /** Default: `'file'`. */
  readonly storage?: 'file' | 'memory' | undefined
}

export type StreamChange = 'created' | 'updated' | 'unchanged'

/** What faults of the broker leave behind goes after this time, in nanoseconds. */
const MAX_AGE = 24 * 3_600 * 1e9
const MAX_BYTES = 2 ** 30
/** A server with less room than that for a stream is of no use. */
const LEAST_BYTES = 2 ** 24
/** `err_code` of JetStream: `max_bytes` is reserved, and does not fit. */
const NO_ROOM: readonly unknown[] = [10_023, 10_028, 10_047]

type Config = Partial<StreamConfig> & { readonly name: string }

/** Creates a stream that is missing. Changes the settings of one that exists only if they are given. */
export async function setUpStream(
  manager: JetStreamManager,
  stream: StreamOptions,
  settings?: StreamSettings,
): Promise<StreamChange> {
  const config: Config = {
    name: stream.name,
    subjects: [...stream.subjects],
    retention: stream.retention,
    storage: settings?.storage ?? 'file',
    // A message that does not fit is refused: its sender tries again.
    discard: 'new',
    max_bytes: settings?.maxBytes ?? MAX_BYTES,
    max_age: MAX_AGE,
    num_replicas: settings?.replicas ?? 1,
  }
  // The client's `add` fails if the stream exists with other settings.
  const known = await knownConfig(manager, stream.name)
  if (known === undefined) {
    await add(manager, config, settings === undefined ? LEAST_BYTES : Infinity)
    return 'created'
  }
  if (settings === undefined || isSame(known, config)) return 'unchanged'
  await manager.streams.update(stream.name, config)
  return 'updated'
}

/** Tries with half the bytes, as long as they are more than `least`, where the server has not that much room. */
async function add(manager: JetStreamManager, config: Config, least: number): Promise<void> {
  try {
    await manager.streams.add(config)
  } catch (error) {
    const { max_bytes = 0 } = config
    if (!NO_ROOM.includes((error as JetStreamApiError).code) || max_bytes / 2 < least) throw error
    await add(manager, { ...config, max_bytes: max_bytes / 2 }, least)
  }
}

/** Undefined: there is no such stream. */
async function knownConfig(manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(name)).config
  } catch (error) {
    if ((error as Error).name === 'StreamNotFoundError') return undefined
    throw error
  }
}

function isSame(known: StreamConfig, config: Config): boolean {
  const entries = Object.entries(config) as [keyof StreamConfig, unknown][]
  return entries.every(([key, value]) => JSON.stringify(known[key]) === JSON.stringify(value))
}
