/**
 * Places for calls, if all places in the memory of an object are taken. All objects that one thread makes use one piece
 * of memory, which grows. Not every lock can have its own: memory that can grow takes two of the 65,530 mappings that
 * Linux allows a program.
 *
 * A word here has 64 bits. Its upper half is the number of the queue. So a compareExchange names queue, call and state,
 * and can never change a call of another queue in the same place. A queue sees only its own places, and places without
 * a word.
 */
import { SyncError } from '../errors.js'
import { growTo } from '../../shared/growable.js'
import { createMemory, HEADER, type Memory } from '../../shared/memory.js'
import { defineShared, Shared } from '../shared-object.js'
import { Places } from './places.js'

const KIND = 37
/** The most calls at once. */
const MAX_PLACES = 1 << 20
/** The places in the memory before it grows. */
const MIN_PLACES = 64
/** The thread, a cell that is not used, and the two halves of the word, in the byte order of the machine. */
const PLACE = 4
const [LOW, HIGH] = new Int32Array(new BigInt64Array([1n]).buffer)[0] === 1 ? ([2, 3] as const) : ([3, 2] as const)

export class Overflow extends Shared {
  readonly #words: BigInt64Array<SharedArrayBuffer>

  constructor(memory: Memory = createMemory(KIND, MIN_PLACES * PLACE, MAX_PLACES * PLACE)) {
    super(memory)
    this.#words = new BigInt64Array(memory.buffer)
  }

  /** The places of a queue. Their numbers begin at `from`. */
  placesOf(queue: number, from: number): Places {
    return new OverflowPlaces(this.memory, this.#words, queue, HEADER - from * PLACE)
  }

  /** Makes the memory large enough for this many places. */
  makeRoom(places: number): void {
    if (places > MAX_PLACES)
      throw new SyncError(`Cannot wait in line as ${MAX_PLACES} calls do so already`, 'ERR_LINE_FULL')
    growTo(this.memory, HEADER + places * PLACE, HEADER + MAX_PLACES * PLACE)
  }

  /** @internal */
  override get lockables(): readonly Shared[] {
    return []
  }

  /** Each queue releases its own places. @internal */
  releaseThreads(): void {
    // A place in a queue that no thread knows any more stays taken.
  }
}

let own: Overflow | undefined

/** The overflow of all queues that this thread makes. */
export function ownOverflow(): Overflow {
  return (own ??= new Overflow())
}

class OverflowPlaces extends Places {
  readonly #words: BigInt64Array<SharedArrayBuffer>
  readonly #queue: number

  constructor(memory: Memory, words: BigInt64Array<SharedArrayBuffer>, queue: number, first: number) {
    super(memory, { first, size: PLACE, word: LOW })
    this.#words = words
    this.#queue = queue
  }

  override threadOf(place: number): number {
    // The order matters: if the thread has ended, the place belonged to it before the queue was read.
    const queue = this.#queueOf(place)
    const thread = super.threadOf(place)
    return queue === 0 || queue === this.#queue ? thread : -1
  }

  override wordOf(place: number): number {
    const whole = Atomics.load(this.#words, this.#wordAt(place))
    return Number(whole >> 32n) === this.#queue ? Number(BigInt.asIntN(32, whole)) : 0
  }

  override loadRelaxed(place: number): number {
    return this.#queueOf(place) === this.#queue ? super.loadRelaxed(place) : 0
  }

  override write(place: number, word: number): void {
    Atomics.store(this.#words, this.#wordAt(place), this.#whole(word))
  }

  override replace(place: number, from: number, to: number): boolean {
    const whole = this.#whole(from)
    return Atomics.compareExchange(this.#words, this.#wordAt(place), whole, this.#whole(to)) === whole
  }

  #queueOf(place: number): number {
    return Atomics.load(this.memory, this.cellOf(place) - LOW + HIGH)
  }

  #wordAt(place: number): number {
    return this.cellOf(place) >>> 1
  }

  #whole(word: number): bigint {
    return word === 0 ? 0n : (BigInt(this.#queue) << 32n) | BigInt(word >>> 0)
  }
}

defineShared(KIND, (memory) => new Overflow(memory))
