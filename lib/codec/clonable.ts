/**
 * Why a value cannot be cloned: names the part to blame after a clone has failed.
 * Not a test to run before sending a value: that would cost more than sending it.
 */
import { types } from 'node:util'
import { attempt, NotSerializableError, received } from '../errors.js'
import { cureOf, type Cure } from './cures.js'
import { NotSharedError } from './apart.js'
import { encodeFrame } from './frame.js'
import { faultOf, isEmitter, isForThreads, isObject, nameOf } from './kinds.js'
import { MAX_DENSE_LENGTH } from './limits.js'
import { isShared } from './shared-objects.js'
import { TransferListError } from './transfer-list.js'

/** How much a search may look at: an object costs 100, a primitive 1. */
const MAX_SEARCH_COST = 1_000_000
const OBJECT_COST = 100
const MAX_PATH_LENGTH = 200
const MAX_REASON_LENGTH = 100

/** How a part of an object is reached from it. */
export interface Way {
  readonly kind: 'field' | 'index' | 'map value' | 'map key' | 'element'
  readonly key: unknown
}

/** One part of an object, and how it is reached from it. */
interface Step extends Way {
  readonly value: unknown
  /** Set when the part could not even be read. */
  readonly threw?: { readonly reason: unknown }
}

/** A step, and the one before it: the way from the whole value. */
interface Part extends Step {
  readonly of: Part | undefined
}

/** The error of an item or result that could not be cloned. `cause` is what cloning threw. */
export function notSerializable(
  what: 'item' | 'result',
  index: number,
  value: unknown,
  cause: unknown,
): NotSerializableError {
  // A fault of the list is not one of the value.
  const found =
    cause instanceof TransferListError
      ? { text: cause.message, cure: { item: cause.cure, result: cause.cure } }
      : cause instanceof NotSharedError
        ? { text: sharedPart(value, what, cause), cure: USE_THREADS }
        : unfitPart(value, what)
  const fault = found?.text ?? `it cannot be cloned (${reasonText(cause)})`
  const { item, result } = found?.cure ?? HANDLES
  const message =
    what === 'item'
      ? `Cannot send item ${index} to a worker as ${fault}: ${item}`
      : `Cannot return the result of item ${index} as ${fault}: ${result}`
  return new NotSerializableError(message, { cause })
}

const HANDLES: Cure = {
  item: 'send plain data and open handles inside the task',
  result: 'return plain data and close handles inside the task',
}

const USE_THREADS: Cure = { item: "use isolation 'thread'", result: "use isolation 'thread'" }

/** The part of `value` that only threads can share, as half a sentence: "item.lock is a Lock, which processes cannot share". */
export function sharedPart(value: unknown, name: string, cause: Error): string {
  const found = attempt(() => find({ kind: 'field', key: name, value, of: undefined }, isOfThreads))
  if (found === undefined) return `processes cannot share a part of it (${reasonText(cause)})`
  return `${pathOf(found, name)} is a ${nameOf(found.value as object)}, which processes cannot share`
}

function isOfThreads(value: object): boolean {
  if (isShared(value) || types.isSharedArrayBuffer(ArrayBuffer.isView(value) ? value.buffer : value)) return true
  if (isEmitter(value) || isForThreads(value)) return true
  return steps(value).next().done === true && attempt(() => encodeFrame(value)) === undefined
}

/** The first part that is as asked for, breadth first. */
function find(root: Part, isWanted: (value: object) => boolean): (Part & { readonly value: unknown }) | undefined {
  const queue = [root]
  const seen = new Set<unknown>([root.value])
  for (const part of queue) {
    if (!isObject(part.value)) continue
    if (isWanted(part.value)) return part
    for (const step of steps(part.value)) {
      if (!isObject(step.value) || seen.has(step.value)) continue
      seen.add(step.value)
      queue.push({ ...step, of: part })
    }
  }
  return undefined
}

/**
 * The part of `value` that no clone can hold, as half a sentence: "item.handlers[0] is a function"; `name` is what to
 * call the whole. Undefined when there is none, or when it is hidden too deep to be worth the search.
 */
export function unclonablePart(value: unknown, name: string): string | undefined {
  return unfitPart(value, name)?.text
}

function unfitPart(
  value: unknown,
  name: string,
): { readonly text: string; readonly cure: Cure | undefined } | undefined {
  // A hostile prototype can throw wherever it is looked at.
  return attempt(() => {
    const found = search({ kind: 'field', key: name, value, of: undefined })
    if (found === undefined) return undefined
    const { part, fault } = found
    const cure = isObject(part.value) && !types.isProxy(part.value) ? cureOf(part.value) : undefined
    return { text: `${pathOf(part, name)} ${fault}`, cure }
  })
}

/** Whether `value`, a fresh clone, nests deeper than `limit`: see `MAX_DEPTH`. */
export function nestsDeeperThan(limit: number, value: unknown): boolean {
  if (!isObject(value)) return false
  const seen = new Set<unknown>([value])
  const open = [steps(value)]
  for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
    if (open.length > limit) return true
    const step = inner.next()
    if (step.done === true) {
      open.pop()
    } else if (isObject(step.value.value) && !seen.has(step.value.value)) {
      seen.add(step.value.value)
      open.push(steps(step.value.value))
    }
  }
  return false
}

/** Whether a part of `value` is a SharedArrayBuffer, or a view of one. */
export function holdsSharedMemory(value: unknown): boolean {
  if (!isObject(value)) return false
  const seen = new Set<object>([value])
  // The loop also comes to objects that it adds.
  for (const whole of seen) {
    if (types.isSharedArrayBuffer(ArrayBuffer.isView(whole) ? whole.buffer : whole)) return true
    for (const step of steps(whole)) if (isObject(step.value)) seen.add(step.value)
  }
  return false
}

/** Breadth first, so that what is found has a short name and one large branch does not use up the budget. */
function search(root: Part): { part: Part; fault: string } | undefined {
  const rootFault = faultAtSight(root)
  if (rootFault !== undefined) return { part: root, fault: rootFault }
  const queue = [root]
  const seen = new Set<unknown>([root.value])
  let budget = MAX_SEARCH_COST
  for (const part of queue) {
    const whole = part.value
    if (!isObject(whole)) continue
    const unfit = faultOf(whole)
    if (unfit !== undefined) return { part, fault: `is an instance of ${nameOf(whole)}, ${unfit}` }
    // Their name says more than that of the function deep inside them.
    if (isEmitter(whole)) {
      if (!clones(whole)) return { part, fault: instanceText(whole) }
      continue
    }
    let holdsObjects = false
    for (const step of steps(whole)) {
      budget -= isObject(step.value) ? OBJECT_COST : 1
      if (budget < 0) return undefined
      const fault = faultAtSight(step)
      if (fault !== undefined) return { part: { ...step, of: part }, fault }
      if (!isObject(step.value)) continue
      holdsObjects = true
      if (seen.has(step.value)) continue
      seen.add(step.value)
      queue.push({ ...step, of: part })
    }
    if (!holdsObjects && !isOnlyParts(whole) && !clones(whole)) return { part, fault: instanceText(whole) }
  }
  return undefined
}

/** The parts of an object that a clone has to hold, in the order in which cloning reads them. */
function* steps(whole: object): Generator<Step, void, void> {
  if (ArrayBuffer.isView(whole)) return
  if (types.isMap(whole)) {
    let index = 0
    for (const [key, value] of Map.prototype.entries.call(whole)) {
      yield { kind: 'map key', key: index++, value: key }
      yield { kind: 'map value', key, value }
    }
  } else if (types.isSet(whole)) {
    let index = 0
    for (const value of Set.prototype.values.call(whole)) yield { kind: 'element', key: index++, value }
  } else if (Array.isArray(whole)) {
    if (whole.length > MAX_DENSE_LENGTH) {
      for (const index of Object.keys(whole)) yield readStep(whole, 'index', index)
    } else {
      for (let index = 0; index < whole.length; index++) yield readStep(whole, 'index', index)
    }
  } else if (types.isNativeError(whole)) {
    // Cloning an error leaves its fields behind.
    if (Object.hasOwn(whole, 'cause')) yield readStep(whole, 'field', 'cause')
  } else {
    for (const key of Object.keys(whole)) yield readStep(whole, 'field', key)
  }
}

function readStep(whole: object, kind: 'field' | 'index', key: string | number): Step {
  try {
    return { kind, key, value: Reflect.get(whole, key) as unknown }
  } catch (reason) {
    return { kind, key, value: undefined, threw: { reason } }
  }
}

function faultAtSight({ value, threw }: Step): string | undefined {
  if (threw !== undefined) return `has a getter that threw '${reasonText(threw.reason)}'`
  if (typeof value === 'function') return 'is a function'
  if (typeof value === 'symbol') return 'is a symbol'
  if (types.isProxy(value)) return 'is a Proxy'
  return undefined
}

/** Whether the value is nothing but its parts, so that it can only fail through one of them. */
function isOnlyParts(value: object): boolean {
  if (types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) return value.byteLength > 0
  if (Array.isArray(value) || types.isMap(value) || types.isSet(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function clones(value: object): boolean {
  return attempt(() => structuredClone(value)) !== undefined
}

function instanceText(value: object): string {
  const name = nameOf(value)
  return types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)
    ? `is a detached ${name}`
    : `is an instance of ${name}`
}

function reasonText(reason: unknown): string {
  const message = attempt((): unknown => (reason instanceof Error ? reason.message : undefined))
  const text = typeof message === 'string' ? message : received(reason)
  // A DataCloneError quotes the whole source of a function.
  return shortened(text.replace(/\s+/g, ' '), MAX_REASON_LENGTH)
}

function pathOf(part: Part, name: string): string {
  const way: Part[] = []
  for (let at: Part = part; at.of !== undefined; at = at.of) way.push(at)
  return shortened(way.reduceRight(extended, name), MAX_PATH_LENGTH)
}

/** The path of a part of what `path` names. */
export function extended(path: string, { kind, key }: Way): string {
  switch (kind) {
    case 'index':
      return `${path}[${String(key)}]`
    case 'element':
      return `[...${path}][${String(key)}]`
    case 'map key':
      return `[...${path}.keys()][${String(key)}]`
    case 'map value':
      return `${path}.get(${typeof key === 'string' ? JSON.stringify(key) : received(key)})`
    case 'field':
      return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(String(key))
        ? `${path}.${String(key)}`
        : `${path}[${JSON.stringify(key)}]`
  }
}

/** A text without its middle when it is too long: the two ends tell most. */
export function shortened(text: string, longest: number): string {
  const half = longest / 2
  return text.length > longest ? `${text.slice(0, half)}…${text.slice(-half)}` : text
}
