/**
 * How the values of a chunk cross to another thread: as columns where that is faster (`encode.ts`), otherwise cloned by
 * the port. Each value arrives as if it had been sent alone. An object that two values share arrives as two. An object
 * that stands twice in one value stays one.
 */
import type { Transferable } from 'node:worker_threads'
import { nestsDeeperThan, notSerializable } from './clonable.js'
import { assertApart } from './apart.js'
import type { Column } from './column.js'
import { decode } from './decode.js'
import { encode } from './encode.js'
import { encodeError } from './error-codec/encode.js'
import type { EncodedError } from './error-codec/types.js'
import { codecLimits, MAX_DEPTH } from './limits.js'
import { restore, type Marks } from './marks.js'
import type { TaskName } from '../task-name.js'
import { needsTasks as recordsNeedTasks, tasksToLoad } from './records/csv-task.js'
import { allRecords, fileOf, placeOf, recordCursor, type RecordData } from './records/record-data.js'
import type { Place } from './records/format.js'
import { fileOfRow, placeOfRow, rowAt, rowCursor, type RowData } from './rows/row-data.js'
import { revive } from './shared-objects.js'
import type { SharedObject } from '../shared/registry.js'
import { Shapes } from './shapes.js'
import { withoutSmallViews } from './small-views.js'
import { assertMovable, assertMoved, assertTransferList, type TransferList } from './transfer-list.js'
import { SharingCheck } from './sharing-check.js'

/** The form of a chunk's values in a message: themselves, for the port to clone, or a column, or records, or rows. */
type Values = readonly unknown[] | Column | RecordData | RowData

export type Data = Values | NotedValues

interface NotedValues {
  readonly kind: 'noted'
  readonly values: Values
  readonly marks: Marks | undefined
  /** Whether there are objects in the values that threads share: their instances must be made again. */
  readonly hasSharedObjects: boolean
}

/** Values made ready to be posted. */
export interface Packed {
  /** Goes into the message. */
  readonly data: Data
  /** Goes into the message's transfer list. */
  readonly transfer: readonly Transferable[]
  /** About how many bytes the message takes. */
  readonly bytes: number
  /** The objects in it that threads share. */
  readonly shared?: ReadonlySet<SharedObject> | undefined
  /** Whether there is an object in it that cannot go to another process. That of shared objects shows when the message is made. */
  readonly isForThreads?: boolean
}

/** Of this thread, for all streams. */
const ownShapes = new Shapes()

/**
 * Packs values so that each arrives as if it had been sent alone. The values may be packed again.
 *
 * @throws The error of the first value that cannot be packed. `cloneEach()` then finds that value.
 */
export function pack(values: readonly unknown[], shapes: Shapes = ownShapes): Packed {
  return packAll(values, shapes, false)
}

/** @param maySmallViewsStay Otherwise they are replaced when the first one is met. */
function packAll(values: readonly unknown[], shapes: Shapes, maySmallViewsStay: boolean): Packed {
  const encoded = values.length < codecLimits.minValues ? undefined : encode(values, shapes, maySmallViewsStay)
  if (encoded !== undefined) return { ...encoded, data: withNotes(encoded.column, encoded) }
  const check = new SharingCheck()
  // Pushed, not mapped: an array that was made at its full length might have holes, and V8 writes it index by index.
  const data: unknown[] = []
  for (const value of values) {
    data.push(check.isIndependent(value) ? value : cloneInto(check, value).value)
    if (check.holdsSmallView && !maySmallViewsStay) return packAll(withoutSmallViews(values), shapes, true)
  }
  const { bytes, shared, holdsForThreads: isForThreads } = check
  return { data: withNotes(data, check), transfer: [], bytes, shared, isForThreads }
}

/** The facts that `unpack()` needs about values. */
export interface Notes {
  /** The objects in them that threads share. */
  readonly shared: ReadonlySet<SharedObject> | undefined
  readonly marks: Marks | undefined
}

export function withNotes(values: Values, { shared, marks }: Notes): Data {
  const hasSharedObjects = shared !== undefined
  return hasSharedObjects || marks !== undefined ? { kind: 'noted', values, marks, hasSharedObjects } : values
}

/** The values of a pack, once it has arrived. */
export function unpack(data: Data, shapes: Shapes = ownShapes): unknown[] {
  if (areRecords(data)) return allRecords(data)
  if (areRows(data)) return Array.from({ length: data.count }, (_, position) => rowAt(data.segments, position))
  if (hasNotes(data)) {
    if (data.marks !== undefined) restore(data.marks)
    const values = unpack(data.values, shapes)
    return data.hasSharedObjects ? (revive(values).value as unknown[]) : values
  }
  const values = Array.isArray(data) ? data : decode(data as Column, shapes)
  if (Array.isArray(values)) return values as unknown[]
  const own = new Array<unknown>(values.length)
  for (let at = 0; at < values.length; at++) own[at] = values[at]
  return own
}

/** Whether there are objects in it that threads share. */
export function holdsShared(data: Data): boolean {
  return hasNotes(data) && data.hasSharedObjects
}

function hasNotes(data: Data): data is NotedValues {
  return (data as { kind?: unknown }).kind === 'noted'
}

function areRecords(data: Data): data is RecordData {
  return (data as Partial<RecordData>).kind === 'bytes'
}

/** Whether the values are rows of a file, which this thread reads before they can be unpacked. */
export function areRows(data: Data): data is RowData {
  return (data as Partial<RowData>).kind === 'rows'
}

/** Whether there are at most this many values. Columns are taken to hold more. */
export function hasAtMost(count: number, data: Data): boolean {
  if (areRecords(data) || areRows(data)) return data.count <= count
  const values = hasNotes(data) ? data.values : data
  return Array.isArray(values) && values.length <= count
}

/** Where an item is in its input, by its position among all; undefined unless the items are records. */
export function placeIn(data: Data, position: number): Place | undefined {
  if (areRows(data)) return placeOfRow(data.segments, position)
  return areRecords(data) ? placeOf(data.segments, position) : undefined
}

/** The path of the file that an item is from; undefined unless the items are records of files. */
export function fileIn(data: Data, position: number): string | undefined {
  if (areRows(data)) return fileOfRow(data.segments, position)
  return areRecords(data) ? fileOf(data.segments, position) : undefined
}

export interface Cursor {
  readonly length: number
  /** The next value; may be called `length` times. Throws the error of a bad record, and continues behind it. */
  readonly next: () => unknown
  /** Leaves out the next value. A record is not decoded: that may be what has ended a worker. */
  readonly skip: () => void
}

/** As `unpack()`, but decodes records one by one. */
export function cursorOf(data: Data): Cursor {
  if (areRecords(data)) return { length: data.count, ...recordCursor(data) }
  if (areRows(data)) return { length: data.count, ...rowCursor(data) }
  const values = unpack(data)
  let position = 0
  const skip = (): void => {
    position++
  }
  return { length: values.length, next: () => values[position++], skip }
}

/** Whether the values cannot be read before `tasksOf()` them are loaded. */
export function needsTasks(data: Data): boolean {
  return areRecords(data) && recordsNeedTasks(data.segments)
}

/** The tasks that make values of the records, and that this thread has not loaded. */
export function tasksOf(data: Data): readonly TaskName[] {
  return areRecords(data) ? tasksToLoad(data.segments) : []
}

interface Clone {
  readonly value: unknown
  /** The buffers that were moved into it. */
  readonly moved: TransferList
}

/**
 * A clone of one value that can be read back, or a `RangeError`. The check notes what is in it, as if it had gone
 * through the clone.
 *
 * @param list Buffers that are moved into the clone. If the value cannot be cloned, its buffers stay.
 */
function cloneInto(check: SharingCheck, value: unknown, list: TransferList = []): Clone {
  const { value: sent, marks, holdsForThreads } = narrowed(value, list)
  const clone = cloneWith({ value: sent, marks, moved: list }, list)
  if (nestsDeeperThan(MAX_DEPTH, clone.value)) throw new RangeError(`a value nests more than ${MAX_DEPTH} levels deep`)
  if (clone.marks !== undefined) {
    restore(clone.marks)
    check.adopt(clone.marks)
  }
  check.holdsForThreads ||= holdsForThreads
  const { value: revived, shared } = revive(clone.value)
  for (const object of shared) (check.shared ??= new Set()).add(object)
  return { value: revived, moved: clone.moved }
}

function cloneWith<T>(value: T, list: TransferList): T {
  if (list.length === 0) return structuredClone(value)
  let clone: T
  try {
    clone = structuredClone(value, { transfer: [...list] })
  } catch (error) {
    assertMovable(list)
    throw error
  }
  assertMoved(list)
  return clone
}

/** A value without small views, and what was seen in it. */
interface Narrowed {
  readonly value: unknown
  readonly marks: Marks | undefined
  readonly holdsForThreads: boolean
}

function narrowed(value: unknown, moved: TransferList): Narrowed {
  const { holdsSmallView, holdsForThreads, marks } = checkAlone(value)
  if (!holdsSmallView) return { value, marks, holdsForThreads }
  const [copy] = withoutSmallViews([value], moved)
  return { value: copy, marks: checkAlone(copy).marks, holdsForThreads }
}

function checkAlone(value: unknown): SharingCheck {
  const check = new SharingCheck(Infinity)
  check.isIndependent(value)
  return check
}

/** A copy of a value as it would arrive in another thread. */
export function cloned<T>(value: T): T {
  return cloneInto(new SharingCheck(), value).value as T
}

/** Packs one value, and moves buffers with it. Throws a `TransferListError` where they cannot be moved. */
export function packMoving(value: unknown, list: TransferList): Packed {
  assertTransferList(list)
  const check = new SharingCheck()
  const clone = cloneInto(check, value, list)
  const { bytes } = checkAlone(clone.value)
  return { data: withNotes([clone.value], check), transfer: clone.moved, bytes, shared: check.shared }
}

type Moves = (position: number) => unknown

interface ClonedValues {
  /** Clones of the values, in their places; `undefined` for each that was refused. */
  readonly values: unknown[]
  readonly notes: Notes
  readonly refused: readonly (readonly [position: number, error: EncodedError])[]
  /** Goes into the message's transfer list: buffers of the clones. */
  readonly transfer: TransferList
  /** About how many bytes the message takes, where buffers are moved. */
  readonly bytes: number
}

/**
 * Clones value by value. The clones are plain data, so posting them cannot fail, whatever a getter does. Buffers are
 * moved as if each value had been sent alone, one after the other: a later value finds them detached.
 *
 * @param indexOf The index of the item that the value at a position is, or is the result of.
 * @param moves The buffers that are moved with the value at a position, a list or undefined. It may throw.
 * @param isToThread Otherwise they go to another process, and what only threads can share is refused.
 */
export function cloneEach(
  what: 'item' | 'result',
  values: readonly unknown[],
  indexOf: (position: number) => number,
  moves?: Moves,
  isToThread = true,
): ClonedValues {
  const refused: [position: number, error: EncodedError][] = []
  const check = new SharingCheck()
  const transfer: ArrayBuffer[] = []
  let bytes = 0
  const clones = values.map((value, position) => {
    try {
      if (!isToThread) assertApart(value)
      if (moves === undefined) return cloneInto(check, value).value
      const list = moves(position) ?? []
      assertTransferList(list)
      const clone = cloneInto(check, value, list)
      transfer.push(...clone.moved)
      bytes += checkAlone(clone.value).bytes
      return clone.value
    } catch (cause) {
      refused.push([position, encodeError(notSerializable(what, indexOf(position), value, cause))])
      return undefined
    }
  })
  return { values: clones, notes: { shared: check.shared, marks: check.marks }, refused, transfer, bytes }
}
