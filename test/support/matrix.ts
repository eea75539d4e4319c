/**
 * The ways to run a lazy verb: both orders, chunksizes, executors, kinds of source. A test of the contract has a body
 * that must pass in each of them.
 */
import { availableParallelism } from 'node:os'
import * as millrace from 'millrace'
import { lines, Pool, type Stream, type StreamOptions, type TaskLike, type Verbs } from 'millrace'
import { Cluster } from 'millrace/nats'
import { gated } from '../fixtures/contract-a-gated.js'
import { Gates } from './gates.js'
import { allPairs, isFull, isFullOnProcesses } from './volume.js'

export type Item = number | string
export type SourceKind = 'an iterable' | 'an async iterable' | 'lines of bytes'
export type Executor = 'the default pool' | 'a pool of 2' | 'this thread' | 'processes' | 'two hosts'
/** A verb whose results are a stream, by the name of its ordered form. */
export type VerbName = 'imap' | 'filter' | 'flatMap'

/** One way to run a verb. */
export interface Way {
  readonly ordered: boolean
  readonly chunksize: number | 'auto'
  readonly executor: Executor
  readonly kind: SourceKind
  /** The lowest number of items that can run at once. */
  readonly workers: number
  /** How many workers have the same number: each host counts its own. */
  readonly namesakes: number
  /** The most items of one chunk. Items behind a held item are held, too. */
  readonly chunk: number
  readonly title: string
  /** Runs the task over a source. */
  run(source: Source, options?: StreamOptions, task?: TaskLike<never, unknown>): Stream<unknown>
  /** As `run`, with another verb than `imap`. */
  open(verb: VerbName, task: TaskLike<never, unknown>, source: Source, options?: StreamOptions): Stream<unknown>
  /** Runs the task over a source, and gives all results, in the order of the items. */
  map(source: Source, options?: StreamOptions, task?: TaskLike<never, unknown>): Promise<unknown[]>
  /** Folds a source, and gives a promise of the result. */
  reduce(fold: unknown, source: Source, options: object): Promise<unknown>
  /** Makes a source of these items that counts its calls. */
  source(items: Iterable<Item>, probe?: Probe): Source
}
type Source = Iterable<Item> | AsyncIterable<Item>

/** The calls of a stream to its source, and its faults. */
export class Probe {
  /** How often an item was requested and given. */
  reads = 0
  /** How often the iterator was made. */
  opened = 0
  /** How often `next()` was called, and `return()`. */
  calls = 0
  returns = 0
  /** The most items that were read (or requested) and not delivered. */
  most = 0
  /** Set when `next()` was called while another was pending. */
  overlapped = false
  /** Set when `next()` was called after the source had ended, thrown or been closed. */
  readAfterEnd = false
  delivered = 0
  #pending = false
  #over = false
  readonly #waiting: { readonly reads: number; readonly resolve: () => void }[] = []

  /** Resolves when this many items have been read. */
  reached(reads: number): Promise<void> {
    if (this.reads >= reads) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push({ reads, resolve })
    })
  }

  open(): void {
    this.opened++
  }

  begin(): void {
    this.calls++
    this.overlapped ||= this.#pending
    this.readAfterEnd ||= this.#over
    this.#pending = true
    // A stream that asks for an item must already have room for it.
    this.most = Math.max(this.most, this.reads + 1 - this.delivered)
  }

  end(over: boolean): void {
    this.#pending = false
    this.#over ||= over
    if (over) return
    this.reads++
    for (const { reads, resolve } of this.#waiting) if (this.reads >= reads) resolve()
  }

  close(): void {
    this.returns++
    this.#over = true
  }
}

const never = new Promise<never>(() => {})

function* syncItems(items: Iterable<Item>): Generator<Item, void, void> {
  yield* items
}

function syncSource(items: Iterable<Item>, probe: Probe): Iterable<Item> {
  return {
    [Symbol.iterator]: () => {
      probe.open()
      const iterator = syncItems(items)
      return {
        next: () => {
          probe.begin()
          let over = true
          try {
            const result = iterator.next()
            over = result.done === true
            return result
          } finally {
            probe.end(over)
          }
        },
        return: () => {
          probe.close()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

/** Some items come at once, others after a turn of the event loop, as in real sources. */
export function asyncSource<T>(items: Iterable<T>, probe: Probe): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => {
      probe.open()
      const iterator = items[Symbol.iterator]()
      return {
        next: async () => {
          probe.begin()
          let over = true
          try {
            if (probe.calls % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
            const result = iterator.next()
            over = result.done === true
            return result
          } finally {
            probe.end(over)
          }
        },
        return: () => {
          probe.close()
          return Promise.resolve({ done: true as const, value: undefined })
        },
      }
    },
  }
}

/** One line in each chunk of bytes, so that a read of bytes is a read of an item. */
function lineSource(items: Iterable<Item>, probe: Probe): AsyncIterable<string> {
  function* chunks(): Generator<Buffer, void, void> {
    for (const item of items) yield Buffer.from(`${item}\n`.padStart(8, '0'))
  }
  return lines(asyncSource(chunks(), probe))
}

/** A source of the given kind that gives the items, then never answers. Its `return()` does not answer either. */
export function hanging(kind: SourceKind, items: readonly Item[], probe: Probe): Source {
  if (kind === 'an iterable') throw new Error('An iterable cannot hang without blocking its thread')
  const bytes = kind === 'lines of bytes'
  const source: AsyncIterable<Item | Buffer> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        probe.begin()
        const item = items[probe.reads]
        if (item === undefined) await never
        probe.end(false)
        return { done: false, value: bytes ? Buffer.from(`${item}\n`.padStart(8, '0')) : item }
      },
      return: () => {
        probe.close()
        return Promise.resolve({ done: true as const, value: undefined })
      },
    }),
  }
  return bytes ? lines(source as AsyncIterable<Buffer>) : (source as AsyncIterable<Item>)
}

/** Whether a way is run on worker processes at any volume: each item takes a call, and a pool has to be started. */
function isChosen(ordered: boolean, chunksize: number | 'auto', kind: SourceKind): boolean {
  return ordered && chunksize === 7 && kind === 'an iterable'
}

/** The address of a server with two hosts, of one slot each: then every way is on these. scripts/test-nats.js sets it. */
const HOSTS = process.env.TEST_HOSTS

/** Every way, or those that `where` accepts. One of them is on worker processes, or all of these. */
export function ways(pool: Pool, where: (way: Way) => boolean = () => true): Way[] {
  const processes = new Pool({ workers: 2, isolation: 'process', name: 'processes' })
  const hosts = new Cluster({ servers: HOSTS ?? 'nats://127.0.0.1:4222' })
  afterAll(() => Promise.all([processes.terminate(), hosts.terminate()]))
  const local = ['the default pool', 'a pool of 2', 'this thread', 'processes'] as const
  const verbs = {
    'the default pool': millrace,
    'this thread': millrace,
    'a pool of 2': pool,
    processes,
    'two hosts': hosts,
  }
  const found: Way[] = []
  for (const executor of HOSTS === undefined ? local : (['two hosts'] as const)) {
    for (const ordered of [true, false]) {
      for (const chunksize of [1, 7, 'auto'] as const) {
        for (const kind of ['an iterable', 'an async iterable', 'lines of bytes'] as const) {
          if (executor === 'processes' && !isFullOnProcesses && !isChosen(ordered, chunksize, kind)) continue
          found.push(wayOf(verbs[executor], executor, ordered, chunksize, kind))
        }
      }
    }
  }
  return found.filter(where)
}

function wayOf(on: Verbs, executor: Executor, ordered: boolean, chunksize: number | 'auto', kind: SourceKind): Way {
  // On this thread two items at once, as two workers would run them.
  const inline = executor === 'this thread' ? ({ workers: 0, concurrency: 2 } as const) : undefined
  const open: Way['open'] = (name, task, source, options) => {
    const verb = ordered ? name : (`${name}Unordered` as const)
    const run = on[verb] as (task: unknown, source: Source, options: object) => unknown
    return run(task, source, { chunksize, ...inline, ...options }) as Stream<unknown>
  }
  return {
    ordered,
    chunksize,
    executor,
    kind,
    workers: executor === 'the default pool' ? availableParallelism() : 2,
    namesakes: executor === 'two hosts' ? 2 : 1,
    chunk: inline || chunksize === 'auto' ? 1 : chunksize,
    title: `${ordered ? 'ordered' : 'unordered'}, with chunksize ${chunksize} on ${executor}, from ${kind}`,
    run: (source, options, task = gated) => open('imap', task, source, options),
    open,
    map: (source, options, task = gated) => {
      const run = on.map as (task: unknown, source: Source, options: object) => Promise<unknown[]>
      return run(task, source, { chunksize, ...inline, ...options })
    },
    reduce: (fold, source, options) => {
      const run = on.reduce as (fold: unknown, source: Source, options: object) => Promise<unknown>
      return run(fold, source, { chunksize, ordered, ...(inline && { workers: 0 }), ...options })
    },
    source: (items, probe) => sourceOf(kind, items, probe),
  }
}

/** A source of these items that counts its calls. */
export function sourceOf(kind: SourceKind, items: Iterable<Item>, probe: Probe = new Probe()): Source {
  if (kind === 'an iterable') return syncSource(items, probe)
  return kind === 'an async iterable' ? asyncSource(items, probe) : lineSource(items, probe)
}

/** The time limit of a case, in milliseconds. It names the case that hung, unlike the limit of the test. */
const LIMIT = 10_000

/**
 * Defines one test that runs the body in every way, and names the ways in which it failed. `npm test` runs some of them,
 * in which any two properties that come together in the others do so, too.
 */
export function inEveryWay(title: string, every: readonly Way[], body: (way: Way) => Promise<void>): void {
  // It is about other executors.
  if (HOSTS !== undefined && every.length === 0) return
  const all = isFull ? every : allPairs(every, ['executor', 'ordered', 'chunksize', 'kind'])
  it(title, async () => {
    expect(all).not.toEqual([])
    const failures: { readonly way: Way; readonly error: unknown }[] = []
    for (const way of all) {
      try {
        await inTime(body(way))
      } catch (error) {
        failures.push({ way, error })
        // A body that hangs will probably hang again. A few failures are enough.
        if (failures.filter(({ error }) => error instanceof Hang).length === 2) break
      } finally {
        Gates.openAll()
      }
    }
    const [first] = failures
    if (first === undefined) return
    const { error } = first
    const list = failures.map(({ way }) => `  ${way.title}`).join('\n')
    const failed = error instanceof Error ? error : new Error(String(error))
    failed.message = `In ${failures.length} of ${all.length} ways:\n${list}\nIn the first of them: ${failed.message}`
    throw failed
  })
}

class Hang extends Error {}

/** Rejects if the promise does not settle in a time that is far longer than it needs. */
export async function inTime<T>(body: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Hang(`did not end within ${LIMIT} ms`))
    }, LIMIT)
  })
  try {
    return await Promise.race([body, expired])
  } finally {
    clearTimeout(timer)
  }
}

/** All results. Each is counted as delivered at once. */
export async function drain<T>(stream: AsyncIterable<T>, probe: Probe = new Probe()): Promise<T[]> {
  const results: T[] = []
  for await (const result of stream) {
    probe.delivered++
    results.push(result)
  }
  return results
}

/** One result. It is counted as delivered at once. */
export async function take(stream: Stream<unknown>, probe: Probe): Promise<IteratorResult<unknown, undefined>> {
  const result = await stream.next()
  if (result.done !== true) probe.delivered++
  return result
}

/** The reason of a rejected promise. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error
  }
  throw new Error(`Expected a rejection, got ${String(value)}`)
}

export function ascending(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

export function sorted(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b)
}
