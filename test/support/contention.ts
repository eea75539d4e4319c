/**
 * Threads that compete for each primitive as fast as they can: `npm run stress -- contention --seconds 60 --workers 8`.
 * Every count must be exact. It prints the number of turns, the longest wait of a call, and the fewest turns of a
 * worker with the mean. A worker that starves shows there. The primitives share the time.
 */
import { parseArgs } from 'node:util'
import { isMainThread, threadId, Worker, workerData } from 'node:worker_threads'
import {
  Barrier,
  BrokenBarrierError,
  Condition,
  EndOfFileError,
  JoinableQueue,
  Lock,
  Pipe,
  Queue,
  RLock,
  Semaphore,
  type Connection,
} from 'millrace/multiprocessing'
import { revive } from '#dist/codec/shared-objects.js'
import { reached } from './reached.js'

const KINDS = ['Lock', 'RLock', 'Semaphore', 'Condition', 'Barrier', 'Queue', 'JoinableQueue', 'Pipe'] as const
type Kind = (typeof KINDS)[number]

/** Cells: the turns, counted inside, and the sums of the numbers that were put or sent, and of those that came out. */
const ROUNDS = 0
const INSIDE = 1
const WRONG = 2
const STOP = 3
const STOCK = 4
const READY = 5
const GIVEN = 6
const GOT = 7
/** From here the turns and the longest wait of each worker, in microseconds. */
const OWN = 8
/** The most threads that may be inside at once. */
const PERMITS = 3
/** The size of the stock and of the queues. */
const ROOM = 4

interface Contest {
  readonly kind: Kind
  readonly cells: Int32Array<SharedArrayBuffer>
  readonly lock: Lock | RLock | Semaphore
  readonly free: Condition
  readonly full: Condition
  readonly barrier: Barrier
  readonly queue: Queue<number>
}

interface Part extends Contest {
  readonly number: number
  /** Even workers have the end that asks, odd workers the end that answers. */
  readonly end: Connection<number>
}

/** Half of the workers wait in synchronous calls, half in asynchronous ones. */
async function contend({ kind, number, cells, lock, free, full, barrier, queue, end }: Part): Promise<void> {
  const sync = number % 4 < 2
  const own = OWN + 2 * number
  const isOver = (): boolean => Atomics.load(cells, STOP) === 1
  const timed = async <T>(wait: () => T | Promise<T>): Promise<T> => {
    const began = performance.now()
    const waits = wait()
    const result = sync ? (waits as T) : await waits
    const waited = (performance.now() - began) * 1_000
    if (waited > (cells[own + 1] ?? 0)) cells[own + 1] = waited
    return result
  }
  const enter = (most: number): void => {
    if (Atomics.add(cells, INSIDE, 1) >= most) Atomics.add(cells, WRONG, 1)
    // Not atomic: two at once would lose some.
    if (most === 1) cells[ROUNDS] = (cells[ROUNDS] ?? 0) + 1
    else Atomics.add(cells, ROUNDS, 1)
    Atomics.sub(cells, INSIDE, 1)
  }
  const trade = async (change: number, mine: Condition, other: Condition): Promise<boolean> => {
    const stock = (): number => cells[STOCK] ?? 0
    const fits = (): boolean => (change > 0 ? stock() < ROOM : stock() > 0) || isOver()
    await timed(() => (sync ? mine.acquireSync() : mine.acquire()))
    await timed(() => (sync ? mine.waitForSync(fits) : mine.waitFor(fits)))
    const done = !isOver()
    if (done) {
      enter(1)
      cells[STOCK] = stock() + change
      if (stock() < 0 || stock() > ROOM) Atomics.add(cells, WRONG, 1)
    }
    other.notify()
    if (!done) mine.notifyAll()
    mine.release()
    return done
  }
  const give = async (n: number, put: () => unknown, get: () => number | Promise<number>): Promise<void> => {
    Atomics.add(cells, GIVEN, n)
    await timed(put)
    Atomics.add(cells, GOT, await timed(get))
  }
  /** Whether it took a turn. */
  const turn = async (n: number): Promise<boolean> => {
    switch (kind) {
      case 'Condition':
        return number % 2 === 0 ? trade(1, free, full) : trade(-1, full, free)
      case 'Barrier':
        await timed(() => (sync ? barrier.waitSync() : barrier.wait()))
        return true
      case 'Queue':
      case 'JoinableQueue': {
        const put = async (): Promise<void> => {
          if (sync) queue.putSync(n)
          else await queue.put(n)
        }
        await give(n, put, () => (sync ? queue.getSync() : queue.get()))
        if (queue instanceof JoinableQueue) queue.taskDone()
        return true
      }
      case 'Pipe': {
        const send = async (what: number): Promise<void> => {
          if (sync) end.sendSync(what)
          else await end.send(what)
        }
        const receive = (): number | Promise<number> => (sync ? end.recvSync() : end.recv())
        if (number % 2 === 0) await give(n, () => send(n), receive)
        else {
          const question = await timed(receive)
          await timed(() => send(question))
        }
        return true
      }
      default: {
        await timed(() => (sync ? lock.acquireSync() : lock.acquire()))
        const again = kind === 'RLock' && (sync ? lock.acquireSync() : await lock.acquire())
        enter(kind === 'Semaphore' ? PERMITS : 1)
        if (again !== false) again.release()
        lock.release()
        return true
      }
    }
  }
  // The worker that answers continues until all that ask have ended.
  const answers = kind === 'Pipe' && number % 2 === 1
  Atomics.add(cells, READY, 1)
  Atomics.notify(cells, READY)
  for (let n = 0; answers || !isOver(); n++) if (await turn(1_000_003 * number + n)) cells[own] = (cells[own] ?? 0) + 1
  end.close()
}

/** The condition at its end. In addition, two threads were never inside together, and each worker had turns. */
async function isExact(contest: Contest, own: readonly number[]): Promise<boolean> {
  const { kind, cells, lock, free, queue } = contest
  const turns = own.reduce((sum, count) => sum + count, 0)
  const given = cells[GIVEN] === cells[GOT] && queue.size === 0
  switch (kind) {
    case 'Barrier':
      return Math.max(...own) - Math.min(...own) <= 1
    case 'Queue':
      return given
    case 'JoinableQueue':
      return given && queue instanceof JoinableQueue && (await queue.join(0))
    case 'Pipe':
      return given && 2 * own.reduce((sum, count, number) => sum + (number % 2 === 0 ? count : 0), 0) === turns
    default: {
      const isFree = lock instanceof Semaphore ? lock.value === PERMITS : !lock.locked
      return turns === cells[ROUNDS] && isFree && (await free.acquire(0)) !== undefined
    }
  }
}

function newContest(kind: Kind, workers: number): Contest {
  const both = new Lock()
  return {
    kind,
    cells: new Int32Array(new SharedArrayBuffer(4 * (OWN + 2 * workers))),
    lock: kind === 'RLock' ? new RLock() : kind === 'Semaphore' ? new Semaphore(PERMITS) : new Lock(),
    free: new Condition(both),
    full: new Condition(both),
    barrier: new Barrier(workers),
    queue: kind === 'JoinableQueue' ? new JoinableQueue(ROOM) : new Queue(ROOM),
  }
}

async function measure(kind: Kind, workers: number, milliseconds: number): Promise<boolean> {
  const contest = newContest(kind, workers)
  const { cells, barrier, free, full } = contest
  const pipe = Pipe<number>()
  const ends = Array.from({ length: workers }, (_, number) => {
    const part = { ...contest, number, end: pipe[number % 2] }
    const worker = new Worker(new URL(import.meta.url), { workerData: part })
    return new Promise<void>((resolve, reject) =>
      worker.once('error', reject).once('exit', () => {
        resolve()
      }),
    )
  })
  await reached(cells, READY, workers)
  const began = performance.now()
  setTimeout(() => {
    Atomics.store(cells, STOP, 1)
    if (kind === 'Barrier') barrier.abort()
    if (kind === 'Condition') {
      void free.withLock(() => {
        free.notifyAll()
        full.notifyAll()
      })
    }
  }, milliseconds)
  await Promise.all(ends)
  const seconds = (performance.now() - began) / 1_000
  const own = Array.from({ length: workers }, (_, number) => cells[OWN + 2 * number] ?? 0)
  const turns = own.reduce((sum, count) => sum + count, 0)
  const worst = Math.max(...own.map((_, number) => cells[OWN + 2 * number + 1] ?? 0)) / 1_000
  const good = (await isExact(contest, own)) && cells[WRONG] === 0 && Math.min(...own) > 0
  const columns = [
    kind.padEnd(13),
    good ? 'exact' : 'WRONG',
    `${String(turns).padStart(9)} turns`,
    `${String(Math.round(turns / seconds)).padStart(7)}/s`,
    `worst wait ${worst.toFixed(1).padStart(7)} ms`,
    `turns of a worker: fewest ${Math.min(...own)}, mean ${Math.round(turns / workers)}`,
  ]
  console.log(columns.join('  '))
  if (!good) console.log({ cells, own })
  return good
}

if (isMainThread) {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, workers: { type: 'string' } } })
  const milliseconds = (Number(values.seconds ?? 60) * 1_000) / KINDS.length
  for (const kind of KINDS) {
    if (!(await measure(kind, Number(values.workers ?? 8), milliseconds))) process.exitCode = 1
  }
} else {
  try {
    await contend(revive(workerData).value as Part)
  } catch (error) {
    // The ends of the rounds of a barrier, and of a pipe.
    if (!(error instanceof BrokenBarrierError || error instanceof EndOfFileError))
      throw new Error(`Thread ${threadId} failed`, { cause: error })
  }
}
