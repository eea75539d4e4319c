/**
 * How a list of values goes on as a source: by the number of the values that are done, and their hash. New values may
 * follow them. Such lists are arrays, and the paths of files.
 */
import { createHash, type Hash } from 'node:crypto'
import { serialize } from 'node:v8'
import { Items } from '../codec/batch.js'
import { CheckpointError, received } from '../errors.js'
import type { Json, Mark, MarkRequest, ResumePoint } from './mark.js'
import { notResumable } from './not-resumable.js'

/** Reads the values in batches. */
export interface ListBatches {
  next(max: number): Items | undefined
  close(): void
}

/** A list that can be read again. */
export interface ValueList {
  /** For error texts: 'the array'. */
  readonly name: string
  readonly plan: Json
  values(): readonly unknown[] | Promise<readonly unknown[]>
}

type ListNote = Readonly<{ done: number; hash: string }>

/** Values in a batch, at the most. */
const MAX_VALUES = 1_024

export class ListPoint implements ResumePoint {
  readonly source: undefined
  readonly plan: Json
  readonly #list: ValueList
  #batches: ListBatches | undefined
  /** How far it is read. */
  #note: (() => ListNote) | undefined

  constructor(list: ValueList) {
    this.plan = list.plan
    this.#list = list
  }

  async begin(request: MarkRequest, note: Json | undefined): Promise<void> {
    const values = await this.#list.values()
    const hash = createHash('sha256')
    const done = note === undefined ? 0 : this.#check(values, asNote(note), hash)
    this.#batches = this.#read(values, done, hash, request)
  }

  /** The batches, once it has begun: only one reader can have them. */
  open(): ListBatches | undefined {
    const batches = this.#batches
    this.#batches = undefined
    return batches
  }

  noteEnd(mark: Mark): void {
    if (this.#note !== undefined) mark.notes.set(this, this.#note())
  }

  #read(values: readonly unknown[], start: number, hash: Hash, request: MarkRequest): ListBatches {
    let at = start
    let isClosed = false
    const note = (): ListNote => ({ done: at, hash: hash.copy().digest('hex') })
    this.#note = note
    return {
      next: (max) => {
        const mark = request.take()
        if (mark !== undefined) {
          mark.notes.set(this, note())
          return mark
        }
        if (isClosed || at >= values.length) return undefined
        const batch = values.slice(at, at + Math.min(max, MAX_VALUES))
        for (const value of batch) hash.update(this.#bytesOf(value))
        at += batch.length
        return new Items(batch)
      },
      close: () => {
        isClosed = true
      },
    }
  }

  /** @returns How many values are done. */
  #check(values: readonly unknown[], note: ListNote, hash: Hash): number {
    const { done } = note
    if (values.length < done) throw this.#changed(`have the ${done} values that were read`, `${values.length}`)
    for (let at = 0; at < done; at++) hash.update(this.#bytesOf(values[at]))
    if (hash.copy().digest('hex') === note.hash) return done
    throw this.#changed(`begin with the same ${done} values`, 'other ones')
  }

  #changed(must: string, given: string): CheckpointError {
    return new CheckpointError(
      `Cannot go on where an earlier run was as ${this.#list.name} must ${must}: received ${given} ` +
        '(new values may only follow them; or remove the checkpoint to begin at the start)',
      'ERR_CHECKPOINT_INPUT',
    )
  }

  /** What tells the value from others. */
  #bytesOf(value: unknown): Uint8Array {
    try {
      if (!isPromise(value)) return serialize(value)
    } catch {
      // It cannot be copied.
    }
    throw notResumable(
      `${this.#list.name} with ${received(value)}`,
      'give values that can be copied, or use resumable()',
    )
  }
}

function isPromise(value: unknown): boolean {
  return typeof (Object(value) as { then?: unknown }).then === 'function'
}

function asNote(note: Json): ListNote {
  const { done, hash } = Object(note) as Partial<ListNote>
  if (Number.isSafeInteger(done) && (done ?? -1) >= 0 && typeof hash === 'string') return note as ListNote
  throw new CheckpointError(
    `Cannot go on from the checkpoint as it must say how many values were read: received ${received(note)}`,
    'ERR_CHECKPOINT_DAMAGED',
  )
}

/** Arrays of runs that have begun: each is read in batches once, and as any array later. */
const begun = new WeakMap<object, ListPoint>()

/** How an array goes on. Nothing is kept of it before the run begins. */
export class ArrayPoint extends ListPoint {
  readonly #array: readonly unknown[]

  constructor(array: readonly unknown[]) {
    super({ name: 'the array', plan: { kind: 'array' }, values: () => array })
    this.#array = array
  }

  override async begin(request: MarkRequest, note: Json | undefined): Promise<void> {
    await super.begin(request, note)
    begun.set(this.#array, this)
  }
}

/** The batches of an array whose run has begun; undefined for any other source. */
export function openBegunArray(source: object): ListBatches | undefined {
  const point = begun.get(source)
  begun.delete(source)
  return point?.open()
}
