/**
 * Items that a test controls while workers run them. Each has a slot in shared memory. There the test holds it,
 * releases it or makes it fail, and the task notes its progress. It does not sleep or poll.
 *
 * An item is the number of its slot (or that number as a line, from a byte source). The memory reaches the workers of
 * every pool as environment data. Worker processes have no such memory: there the task asks the process of the test, by
 * `gate-calls.ts`. Import this module before the first worker starts.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'
import { GateCalls, serveGates } from './gate-calls.js'

/** The action of the task when the item is not held any more: it returns the item, or does one of these. */
const THROWS = 1
const RETURNS_FUNCTION = 2

/** The fields of a slot. */
const enum Field {
  /** 1 while the item is held. */
  Held,
  /** How often a task has begun with it. */
  Entered,
  /** How often a task has ended with it. */
  Left,
  Fate,
  /** The number of turns of its event loop that the task takes. */
  Turns,
  /** The worker that ran it last, plus one. */
  Worker,
  /** The first meter of the slot. */
  Meters,
  Size,
}

/** One meter for each worker number: the items that it runs now, and the most that it ran at once. */
const WORKERS = 128
const SLOTS = 1 << 20
const KEY = 'millrace.test.gates'

/** Every supported Node has it. The ES2023 types do not. */
interface AsyncAtomics {
  readonly waitAsync: (
    cells: Int32Array,
    index: number,
    value: number,
  ) => { async: false; value: string } | { async: true; value: Promise<string> }
}
const { waitAsync } = Atomics as unknown as AsyncAtomics

function sharedCells(): Int32Array {
  const existing = getEnvironmentData(KEY) as unknown
  if (existing instanceof Int32Array || !isMainThread) return existing as Int32Array
  const cells = new Int32Array(new SharedArrayBuffer((SLOTS * Field.Size + 1) * Int32Array.BYTES_PER_ELEMENT))
  setEnvironmentData(KEY, cells)
  return cells
}

const cells = sharedCells()
/** The last cell counts the used slots, because a process can run several test files. */
const USED = SLOTS * Field.Size

/** Resolves when the cell holds at least `value`. */
async function reaches(cell: number, value: number): Promise<void> {
  for (let now = Atomics.load(cells, cell); now < value; now = Atomics.load(cells, cell)) {
    const wait = waitAsync(cells, cell, now)
    if (wait.async) await wait.value
  }
}

function add(cell: number, change: number): number {
  const before = Atomics.add(cells, cell, change)
  Atomics.notify(cells, cell)
  return before + change
}

function store(cell: number, value: number): void {
  Atomics.store(cells, cell, value)
  Atomics.notify(cells, cell)
}

/** A run of items with their slots, for the test. */
export class Gates {
  static readonly #all = new Set<Gates>()

  /** Lets every held item go: the next test cannot use a held worker. */
  static openAll(): void {
    for (const gates of Gates.#all) gates.releaseAll()
    Gates.#all.clear()
  }

  readonly count: number
  readonly #first: number
  readonly #meters: number

  constructor(count: number) {
    this.count = count
    // Meters are also in slots: two cells for each worker.
    const meters = Math.ceil((2 * WORKERS) / Field.Size)
    const start = Atomics.add(cells, USED, count + meters)
    if (start + count + meters > SLOTS) throw new Error('The tests have used up the shared slots: make SLOTS larger')
    this.#meters = start * Field.Size
    this.#first = start + meters
    for (let i = 0; i < count; i++) cells[this.#cell(i, Field.Meters)] = this.#meters
    Gates.#all.add(this)
  }

  /** The items, as numbers. */
  get items(): number[] {
    return Array.from({ length: this.count }, (_, i) => this.#first + i)
  }

  /** The index of the item of a result. */
  index(result: unknown): number {
    if (typeof result !== 'number' && typeof result !== 'string') throw new Error(`Not a result: ${String(result)}`)
    return Number(result) - this.#first
  }

  indexes(results: readonly unknown[]): number[] {
    return results.map((result) => this.index(result))
  }

  hold(...indexes: readonly number[]): void {
    for (const i of indexes) store(this.#cell(i, Field.Held), 1)
  }

  release(...indexes: readonly number[]): void {
    for (const i of indexes) store(this.#cell(i, Field.Held), 0)
  }

  releaseAll(): void {
    for (let i = 0; i < this.count; i++) this.release(i)
  }

  /** Makes the task throw a `GateError`. */
  fail(...indexes: readonly number[]): void {
    for (const i of indexes) store(this.#cell(i, Field.Fate), THROWS)
  }

  /** Makes the task return a function, which cannot be cloned. */
  returnFunction(...indexes: readonly number[]): void {
    for (const i of indexes) store(this.#cell(i, Field.Fate), RETURNS_FUNCTION)
  }

  turns(i: number, turns: number): void {
    store(this.#cell(i, Field.Turns), turns)
  }

  /** Resolves when a task has begun with the item. */
  entered(i: number): Promise<void> {
    return reaches(this.#cell(i, Field.Entered), 1)
  }

  /** Resolves when a task has ended with the item. */
  left(i: number): Promise<void> {
    return reaches(this.#cell(i, Field.Left), 1)
  }

  /** How often a task has begun with the item, by now. */
  entries(i: number): number {
    return Atomics.load(cells, this.#cell(i, Field.Entered))
  }

  /** The number of items that a task has begun, by now. */
  get begun(): number {
    return this.items.filter((_, i) => this.entries(i) > 0).length
  }

  /** The number of the worker that ran the item. */
  worker(i: number): number {
    return Atomics.load(cells, this.#cell(i, Field.Worker)) - 1
  }

  /** Resolves when a worker runs, or has run, `count` of these items at once. */
  ran(worker: number, count: number): Promise<void> {
    return reaches(this.#meters + 2 * worker + 1, count)
  }

  /** The most of these items that each worker ran at once, by worker number. */
  get most(): Map<number, number> {
    const entries = Array.from({ length: WORKERS }, (_, worker) => {
      return [worker, Atomics.load(cells, this.#meters + 2 * worker + 1)] as const
    })
    return new Map(entries.filter(([, most]) => most > 0))
  }

  #cell(i: number, field: Field): number {
    if (i < 0 || i >= this.count) throw new RangeError(`There is no item ${i}: there are ${this.count}`)
    return (this.#first + i) * Field.Size + field
  }
}

/** The error that the task throws for an item that must fail. */
export class GateError extends Error {}

/** In a worker process: the way to the gates. */
const calls = GateCalls.inWorkerProcess()
if (calls === undefined && isMainThread) serveGates((item, worker) => pass(item, worker))

/** Runs an item, for the task. Waits without blocking its thread, so that it works on every executor. */
export function pass(item: number | string, worker: number): unknown {
  if (calls !== undefined) return passThere(item, worker, calls)
  const slot = enter(item, worker)
  const turns = Atomics.load(cells, slot + Field.Turns)
  const held = Atomics.load(cells, slot + Field.Held) === 1
  return held || turns > 0 ? passLater(item, slot, worker, turns) : leave(item, slot, worker)
}

/** As `pass`, but a held item blocks its thread. Not for this thread. */
export function passBlocking(item: number | string, worker: number): unknown {
  const slot = enter(item, worker)
  while (Atomics.load(cells, slot + Field.Held) === 1) Atomics.wait(cells, slot + Field.Held, 1)
  return leave(item, slot, worker)
}

async function passThere(item: number | string, worker: number, there: GateCalls): Promise<unknown> {
  const end = await there.pass(item, worker)
  if (end === 'throws') throw new GateError(`slot ${item}`)
  return end === 'function' ? () => item : item
}

async function passLater(item: number | string, slot: number, worker: number, turns: number): Promise<unknown> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
  while (Atomics.load(cells, slot + Field.Held) === 1) {
    const wait = waitAsync(cells, slot + Field.Held, 1)
    if (wait.async) await wait.value
  }
  return leave(item, slot, worker)
}

function enter(item: number | string, worker: number): number {
  const slot = Number(item) * Field.Size
  const meter = Atomics.load(cells, slot + Field.Meters) + 2 * worker
  const running = add(meter, 1)
  for (let most = Atomics.load(cells, meter + 1); most < running; most = Atomics.load(cells, meter + 1)) {
    Atomics.compareExchange(cells, meter + 1, most, running)
  }
  Atomics.notify(cells, meter + 1)
  store(slot + Field.Worker, worker + 1)
  add(slot + Field.Entered, 1)
  return slot
}

function leave(item: number | string, slot: number, worker: number): unknown {
  add(Atomics.load(cells, slot + Field.Meters) + 2 * worker, -1)
  add(slot + Field.Left, 1)
  const fate = Atomics.load(cells, slot + Field.Fate)
  if (fate === THROWS) throw new GateError(`slot ${item}`)
  return fate === RETURNS_FUNCTION ? () => item : item
}

/** Some turns of the event loop. Everything that is ready on this thread has happened then. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
