/**
 * Lists of buffers that are moved with a value and not copied. `transfer()` notes them for results; `codec.ts` moves
 * them.
 */
import { types } from 'node:util'
import { attempt, received } from '../errors.js'

export type TransferList = readonly ArrayBuffer[]

/** A list of buffers that cannot be moved. The message is half a sentence, which says why; `cure` ends it. */
export class TransferListError extends Error {
  readonly cure: string

  constructor(fault: string, cure: string, options?: ErrorOptions) {
    super(fault, options)
    this.cure = cure
  }
}

/**
 * On `globalThis`, so that two copies of this library in one worker know each other's lists. Made for the first list.
 */
const NOTED: unique symbol = Symbol.for('millrace.transfers')
const holder = globalThis as { [NOTED]?: WeakMap<object, TransferList> }

export function noteTransfer(value: object, list: TransferList): void {
  holder[NOTED] ??= new WeakMap()
  holder[NOTED].set(value, list)
}

export function hasTransfer(value: object): boolean {
  return holder[NOTED]?.has(value) === true
}

/** Takes the lists that are noted for values, in the places of these; undefined when there are none. */
export function takeTransfers(values: readonly unknown[]): (TransferList | undefined)[] | undefined {
  const noted = holder[NOTED]
  if (noted === undefined) return undefined
  let lists: (TransferList | undefined)[] | undefined
  for (const [at, value] of values.entries()) {
    if (typeof value !== 'object' || value === null) continue
    const list = noted.get(value)
    if (list === undefined) continue
    noted.delete(value)
    lists ??= new Array<undefined>(values.length).fill(undefined)
    lists[at] = list
  }
  return lists
}

/** Throws what is wrong with a list, as far as that can be told before it is sent. */
export function assertTransferList(list: unknown): asserts list is TransferList {
  if (!Array.isArray(list)) {
    throw new TransferListError(
      `the buffers to move must be an array: received ${received(list)}`,
      'list them, as in [pixels.buffer]; [] moves nothing',
    )
  }
  for (const [at, buffer] of (list as readonly unknown[]).entries()) {
    const fault = faultOf(buffer)
    if (fault !== undefined) throw new TransferListError(`number ${at} of the buffers to move ${fault[0]}`, fault[1])
    if (list.indexOf(buffer) < at) {
      throw new TransferListError(`number ${at} of the buffers to move is listed twice`, 'list each buffer once')
    }
  }
}

/** The same as the end of an error text; undefined where nothing is wrong. */
export function transferListFault(list: unknown): string | undefined {
  try {
    assertTransferList(list)
    return undefined
  } catch (error) {
    if (!(error instanceof TransferListError)) throw error
    return `${error.message}: ${error.cure}`
  }
}

/** The list that the option `transfer` gives for an item. */
export function transferOf(item: unknown, transfer: (item: unknown) => unknown): unknown {
  let list: unknown
  try {
    list = transfer(item)
  } catch (cause) {
    const cure = 'it must return the buffers of the item, as in (item) => [item.pixels.buffer]'
    throw new TransferListError(`the option 'transfer' threw ${received(cause)}`, cure, { cause })
  }
  assertTransferList(list)
  return list
}

function faultOf(buffer: unknown): readonly [fault: string, cure: string] | undefined {
  if (types.isArrayBuffer(buffer)) {
    const cure = 'give each value its own buffers, and do not use them again'
    return isDetached(buffer) ? ['is detached: it was moved before', cure] : undefined
  }
  if (types.isSharedArrayBuffer(buffer)) {
    return ['is a SharedArrayBuffer', 'leave it out: both threads share this memory']
  }
  const fault = `must be an ArrayBuffer: received ${received(buffer)}`
  return ArrayBuffer.isView(buffer)
    ? [fault, 'list its buffer, as in [pixels.buffer]']
    : [fault, 'only ArrayBuffers can be moved; open ports and streams inside the task']
}

/** A buffer that was moved away. (Node 20 has no `buffer.detached`.) */
function isDetached(buffer: ArrayBuffer): boolean {
  return buffer.byteLength === 0 && attempt(() => new Uint8Array(buffer)) === undefined
}

/**
 * Throws if Node cannot move one of the buffers. It is asked after sending has failed, as it costs an exception for
 * each.
 */
export function assertMovable(list: TransferList): void {
  assertEach(list, isMovable)
}

/** Throws if one of the buffers was not moved: Node 20 copies what cannot be moved, and says nothing. */
export function assertMoved(list: TransferList): void {
  assertEach(list, isDetached)
}

function assertEach(list: TransferList, isMoved: (buffer: ArrayBuffer) => boolean): void {
  const at = list.findIndex((buffer) => !isMoved(buffer))
  if (at < 0) return
  throw new TransferListError(
    `number ${at} of the buffers to move cannot be moved: it is Node's pool of small Buffers, ` +
      'a WebAssembly memory, or marked as untransferable',
    'copy the bytes, as in Uint8Array.from(view), and list the buffer of the copy',
  )
}

/** Whether Node would move a buffer. Node checks the list first, and moves nothing when the value cannot be read. */
function isMovable(buffer: ArrayBuffer): boolean {
  const unreadable = new Error('not to be read')
  const value = {
    get value(): never {
      throw unreadable
    },
  }
  try {
    structuredClone(value, { transfer: [buffer] })
  } catch (error) {
    return error === unreadable
  }
  return true
}
