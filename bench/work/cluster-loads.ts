/** Chunks that go to hosts and come back: by a cluster, by BullMQ on Redis, and by pools of this machine. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { Pool, type Verbs } from 'millrace'
import { Cluster, type ClusterOptions } from 'millrace/nats'
import type { Contender, Measured } from '../harness/case.js'
import { inAnyOrder } from '../peers/bounded.js'
import type { BullData } from '../peers/bullmq-functions.js'
import { ended, natsServer, redisServer, written } from './servers.js'
import { beginningOf, echoBytes, waits } from './tasks.js'

export const HOSTS = 2
export const SLOTS = 4

export interface Load {
  readonly items: number
  /** The bytes of each item, or the milliseconds that it waits. */
  readonly bytes?: number
  readonly wait?: number
  /** How many bytes of each item come back. Default: all. */
  readonly back?: number
  /** How many are under way at once. */
  readonly depth: number
  /** Whether each run opens a separate connection. */
  readonly opens?: boolean
}

/** The figure of a run, from its time in milliseconds. */
export type Figure = (load: Load, time: number) => number

interface Opened {
  /** @returns The sum of the bytes that came back, or of the milliseconds that were waited. */
  run(load: Load): Promise<number>
  close(): Promise<unknown>
}

export function answerOf({ items, bytes = 0, back = bytes, wait = 0 }: Load): number {
  return items * (back + wait)
}

function contender(
  name: string,
  kind: 'millrace' | undefined,
  figure: Figure,
  open: () => Opened | Promise<Opened>,
): Contender<Load> {
  return {
    name,
    ...(kind && { kind }),
    open: async (load) => {
      const opened = await open()
      return {
        run: async (): Promise<Measured> => {
          const start = performance.now()
          const answer = await opened.run(load)
          return { figure: figure(load, performance.now() - start), answer }
        },
        close: async () => {
          await opened.close()
        },
      }
    },
  }
}

function* repeat<T>(item: T, count: number): Generator<T> {
  for (let n = 0; n < count; n++) yield item
}

async function runOn({ imapUnordered, apply }: Verbs, { items, bytes, back, wait = 0, depth }: Load): Promise<number> {
  let sum = 0
  const options = { chunksize: 1, window: depth }
  if (bytes !== undefined && depth === 1) {
    const block = new Uint8Array(bytes)
    for (let n = 0; n < items; n++) sum += (await apply(echoBytes, [block])).length
  } else if (bytes === undefined) {
    for await (const waited of imapUnordered(waits, repeat(wait, items), options)) sum += waited
  } else {
    const block = new Uint8Array(bytes).fill(1)
    const run = back === undefined ? echoBytes : beginningOf
    for await (const given of imapUnordered(run, repeat(block, items), options)) sum += given.length
  }
  return sum
}

function onPool(isolation: 'thread' | 'process'): Opened {
  const pool = new Pool({ isolation, workers: HOSTS * SLOTS, idleTimeout: Infinity })
  return { run: (load) => runOn(pool, load), close: () => pool.close() }
}

const MILLRACE = resolve(import.meta.dirname, '../../../dist/cli/millrace.cjs')
const TASKS = resolve(import.meta.dirname, 'tasks.js')

/** A server, hosts, and a cluster of them. */
export async function openCluster(
  options: Pick<ClusterOptions, 'compression'> = {},
): Promise<{ readonly cluster: Cluster; readonly servers: string; readonly close: () => Promise<void> }> {
  const server = await natsServer()
  const servers = `nats://127.0.0.1:${server.port}`
  const hosts = Array.from({ length: HOSTS }, () =>
    spawn(process.execPath, [MILLRACE, 'worker', TASKS, '--servers', servers, '--slots', `${SLOTS}`]),
  )
  await Promise.all(hosts.map((host) => written(host, 'is ready')))
  const cluster = new Cluster({ ...options, servers })
  await cluster.ready({ hosts: HOSTS })
  return {
    servers,
    cluster,
    close: async () => {
      await cluster.close()
      await Promise.all(hosts.map(ended))
      await server.close()
    },
  }
}

async function onCluster(): Promise<Opened> {
  const { cluster, servers, close } = await openCluster()
  const run = async (load: Load): Promise<number> => {
    if (load.opens !== true) return await runOn(cluster, load)
    await using own = new Cluster({ servers })
    return await runOn(own, load)
  }
  return { run, close }
}

const BULL_WORKER = resolve(import.meta.dirname, '../peers/bullmq-worker.js')
const QUEUE = 'bench'

async function onBullMQ(): Promise<Opened> {
  const { Queue, QueueEvents } = await import('bullmq')
  const openQueue = async () => {
    const queue = new Queue<BullData, string | number>(QUEUE, { connection })
    const events = new QueueEvents(QUEUE, { connection })
    await events.waitUntilReady()
    for (const emitter of [queue, events]) emitter.setMaxListeners(0)
    return { queue, events }
  }
  const server = await redisServer()
  const connection = { host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null }
  const hosts = Array.from({ length: HOSTS }, () =>
    spawn(process.execPath, [BULL_WORKER, `${server.port}`, QUEUE, `${SLOTS}`]),
  )
  await Promise.all(hosts.map((host) => written(host, 'ready')))
  const opened = await openQueue()
  // One that is removed at once cannot be waited for.
  const options = { removeOnComplete: 1_000, removeOnFail: true }
  return {
    run: async ({ items, bytes, back, wait, depth, opens = false }) => {
      const { queue, events } = opens ? await openQueue() : opened
      let sum = 0
      const block = new Uint8Array(bytes ?? 0).fill(1)
      const run = async (): Promise<number> => {
        const data: BullData =
          bytes === undefined
            ? { wait: wait ?? 0 }
            : { bytes: Buffer.from(block).toString('base64'), ...(back !== undefined && { back }) }
        const job = await queue.add('run', data, options)
        const given = await job.waitUntilFinished(events)
        return typeof given === 'number' ? given : Buffer.from(given, 'base64').length
      }
      await inAnyOrder(repeat(0, items), run, depth, (given) => (sum += given))
      if (opens) await Promise.all([events.close(), queue.close()])
      return sum
    },
    close: async () => {
      await Promise.all(hosts.map(ended))
      await Promise.all([opened.events.close(), opened.queue.close()])
      await server.close()
    },
  }
}

/** All on `HOSTS` times `SLOTS` workers. */
export function clusterContenders(figure: Figure): readonly Contender<Load>[] {
  return [
    contender('millrace', 'millrace', figure, onCluster),
    contender('millrace, processes', 'millrace', figure, () => onPool('process')),
    contender('millrace, threads', 'millrace', figure, () => onPool('thread')),
    contender('bullmq', undefined, figure, onBullMQ),
  ]
}
