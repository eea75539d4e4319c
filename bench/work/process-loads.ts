/** Blocks of bytes that go to worker processes and come back, and the ways to do it. */
import { availableParallelism } from 'node:os'
import { Pool } from 'millrace'
import type { Contender, Measured } from '../harness/case.js'
import { inAnyOrder } from '../peers/bounded.js'
import { echoBytes } from './tasks.js'

export interface Load {
  readonly blocks: number
  readonly bytes: number
  /** How many are under way at once. */
  readonly depth: number
}

/** The figure of a run, from its time in milliseconds. */
type Figure = (load: Load, time: number) => number

function* blocksOf({ blocks, bytes }: Load): Generator<Uint8Array> {
  const block = new Uint8Array(bytes).fill(1)
  for (let n = 0; n < blocks; n++) yield block
}

/** Sends blocks, and gives the bytes that have come back. */
type Send = (load: Load) => Promise<number>

function contender(
  name: string,
  open: () => Promise<{ readonly send: Send; readonly close: () => Promise<unknown> }>,
  figure: Figure,
): Contender<Load> {
  return {
    name,
    open: async (load) => {
      const { send, close } = await open()
      return {
        run: async (): Promise<Measured> => {
          const start = performance.now()
          const answer = await send(load)
          return { figure: figure(load, performance.now() - start), answer }
        },
        close: async () => {
          await close()
        },
      }
    },
  }
}

function millrace(name: string, isolation: 'thread' | 'process', figure: Figure): Contender<Load> {
  const open = (): Promise<{ send: Send; close: () => Promise<unknown> }> => {
    const pool = new Pool({ isolation, idleTimeout: Infinity })
    const send: Send = async (load) => {
      let bytes = 0
      const options = { chunksize: 1, window: load.depth }
      for await (const block of pool.imapUnordered(echoBytes, blocksOf(load), options)) bytes += block.length
      return bytes
    }
    return Promise.resolve({ send, close: () => pool.close() })
  }
  return { ...contender(name, open, figure), kind: 'millrace' }
}

type Run = (block: Uint8Array) => Promise<Uint8Array>

async function sendBy(run: Run, load: Load): Promise<number> {
  let bytes = 0
  await inAnyOrder(blocksOf(load), run, load.depth, (block) => (bytes += block.length))
  return bytes
}

const FUNCTIONS = new URL('../peers/functions.js', import.meta.url).href
const WORKER = new URL('../peers/workerpool-worker.js', import.meta.url).pathname

async function tinypool(): Promise<{ send: Send; close: () => Promise<unknown> }> {
  const { Tinypool } = await import('tinypool')
  const workers = availableParallelism()
  const pool = new Tinypool({
    filename: FUNCTIONS,
    runtime: 'child_process',
    serialization: 'advanced',
    minThreads: workers,
    maxThreads: workers,
  })
  const run: Run = (block) => pool.run(block, { name: 'echoBytes' }) as Promise<Uint8Array>
  return { send: (load) => sendBy(run, load), close: () => pool.destroy() }
}

async function workerpool(): Promise<{ send: Send; close: () => Promise<unknown> }> {
  const { default: package_ } = await import('workerpool')
  const pool = package_.pool(WORKER, { workerType: 'process', forkOpts: { serialization: 'advanced' } })
  const run: Run = (block) => pool.exec('echoBytes', [block])
  return { send: (load) => sendBy(run, load), close: () => Promise.resolve(pool.terminate()) }
}

/** Worker processes of millrace and of others, and the threads of millrace. */
export function processContenders(figure: Figure): readonly Contender<Load>[] {
  return [
    millrace('millrace', 'process', figure),
    millrace('millrace, threads', 'thread', figure),
    contender('tinypool, processes', tinypool, figure),
    contender('workerpool, processes', workerpool, figure),
  ]
}
