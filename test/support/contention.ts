/**
 * Threads that contend for each primitive as fast as they can: `npm run contention -- --seconds 60 --workers 8`. Every count
 * must be exact; it prints how many rounds there were and the worst wait of a call. The time is shared by the primitives.
 */
import { parseArgs } from 'node:util'
import { isMainThread, threadId, Worker, workerData } from 'node:worker_threads'
import { Barrier, BrokenBarrierError, Condition, Lock, RLock, Semaphore } from 'millrace'
import { revive } from '#dist/shared/shared.js'
import { reached } from './reached.js'

type Kind = 'Lock' | 'RLock' | 'Semaphore' | 'Condition' | 'Barrier'

const ROUNDS = 0
const INSIDE = 1
const WRONG = 2
const STOP = 3
const STOCK = 4
const READY = 5
/** From here the rounds and the longest wait of each worker, in microseconds. */
const OWN = 8
/** How many may be inside at once. */
const PERMITS = 3
/** How much the stock has room for. */
const ROOM = 4

interface Shared {
  readonly kind: Kind
  readonly number: number
  readonly cells: Int32Array<SharedArrayBuffer>
  readonly lock: Lock | RLock | Semaphore
  readonly free: Condition
  readonly full: Condition
  readonly barrier: Barrier
}

/** Half of the workers wait in synchronous calls, half in asynchronous ones. */
async function contend({ kind, number, cells, lock, free, full, barrier }: Shared): Promise<void> {
  const sync = number % 4 < 2
  const own = OWN + 2 * number
  const timed = async (wait: () => unknown): Promise<void> => {
    const began = performance.now()
    const waits = wait()
    if (!sync) await waits
    const waited = (performance.now() - began) * 1_000
    cells[own] = (cells[own] ?? 0) + 1
    if (waited > (cells[own + 1] ?? 0)) cells[own + 1] = waited
  }
  const enter = (most: number): void => {
    if (Atomics.add(cells, INSIDE, 1) >= most) Atomics.add(cells, WRONG, 1)
    // Not atomic: two at once would lose some.
    if (most === 1) cells[ROUNDS] = (cells[ROUNDS] ?? 0) + 1
    else Atomics.add(cells, ROUNDS, 1)
    Atomics.sub(cells, INSIDE, 1)
  }
  const trade = async (change: number, mine: Condition, other: Condition): Promise<void> => {
    const stock = (): number => cells[STOCK] ?? 0
    const fits = (): boolean => (change > 0 ? stock() < ROOM : stock() > 0) || Atomics.load(cells, STOP) === 1
    await timed(() => (sync ? mine.acquireSync() : mine.acquire()))
    await timed(() => (sync ? mine.waitForSync(fits) : mine.waitFor(fits)))
    if (Atomics.load(cells, STOP) === 0) {
      enter(1)
      cells[STOCK] = stock() + change
      if (stock() < 0 || stock() > ROOM) Atomics.add(cells, WRONG, 1)
    }
    other.notify()
    if (Atomics.load(cells, STOP) === 1) mine.notifyAll()
    mine.release()
  }
  Atomics.add(cells, READY, 1)
  Atomics.notify(cells, READY)
  while (Atomics.load(cells, STOP) === 0) {
    if (kind === 'Condition') {
      await (number % 2 === 0 ? trade(1, free, full) : trade(-1, full, free))
    } else if (kind === 'Barrier') {
      await timed(() => (sync ? barrier.waitSync() : barrier.wait()))
      Atomics.add(cells, ROUNDS, 1)
    } else {
      await timed(() => (sync ? lock.acquireSync() : lock.acquire()))
      const again = kind === 'RLock' && (sync ? lock.acquireSync() : await lock.acquire())
      enter(kind === 'Semaphore' ? PERMITS : 1)
      if (again !== false) again.release()
      lock.release()
    }
  }
}

async function measure(kind: Kind, workers: number, milliseconds: number): Promise<boolean> {
  const cells = new Int32Array(new SharedArrayBuffer(4 * (OWN + 2 * workers)))
  const lock = kind === 'RLock' ? new RLock() : kind === 'Semaphore' ? new Semaphore(PERMITS) : new Lock()
  const both = new Lock()
  const shared = {
    kind,
    cells,
    lock,
    free: new Condition(both),
    full: new Condition(both),
    barrier: new Barrier(workers),
  }
  const ends = Array.from({ length: workers }, (_, number) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { ...shared, number } })
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
    if (kind === 'Barrier') shared.barrier.abort()
    if (kind === 'Condition') {
      void both.withLock(() => {
        shared.free.notifyAll()
        shared.full.notifyAll()
      })
    }
  }, milliseconds)
  await Promise.all(ends)
  const seconds = (performance.now() - began) / 1_000
  const [rounds = 0, , wrong = 0] = cells
  const own = Array.from({ length: workers }, (_, number) => cells[OWN + 2 * number] ?? 0)
  const calls = own.reduce((sum, count) => sum + count, 0)
  const worst = Math.max(...own.map((_, number) => cells[OWN + 2 * number + 1] ?? 0)) / 1_000
  // A stopped call of a condition is none of its rounds.
  const exact = kind === 'Condition' ? calls >= 2 * rounds && calls <= 2 * (rounds + workers) : calls === rounds
  const free = lock instanceof Semaphore ? lock.value === PERMITS : !lock.locked && !both.locked
  const good = exact && free && wrong === 0 && Math.min(...own) > 0
  console.log(
    `${kind.padEnd(9)} ${good ? 'exact' : 'WRONG'}  ${String(rounds).padStart(9)} rounds  ` +
      `${Math.round(rounds / seconds)
        .toString()
        .padStart(8)}/s  worst wait ${worst.toFixed(1).padStart(7)} ms  ` +
      `calls of a worker ${Math.min(...own)} to ${Math.max(...own)}`,
  )
  if (!good) console.log({ rounds, calls, wrong, free, own })
  return good
}

if (isMainThread) {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, workers: { type: 'string' } } })
  const kinds = ['Lock', 'RLock', 'Semaphore', 'Condition', 'Barrier'] as const
  const milliseconds = (Number(values.seconds ?? 60) * 1_000) / kinds.length
  for (const kind of kinds) {
    if (!(await measure(kind, Number(values.workers ?? 8), milliseconds))) process.exitCode = 1
  }
} else {
  try {
    await contend(revive(workerData).value as Shared)
  } catch (error) {
    // How the barrier's rounds are ended.
    if (!(error instanceof BrokenBarrierError)) throw new Error(`Thread ${threadId} failed`, { cause: error })
  }
}
