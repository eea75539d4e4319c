/** Checks return values of tasks: the results of `flatMap`, the accumulator of a fold, a new object for each item. */
import { hasTransfer } from '../codec/transfer-list.js'
import { received, typeError } from '../errors.js'
import { ReuseCheck } from '../reuse.js'
import { isThenable } from '../thenable.js'

/**
 * Gives the elements of an iterable or async iterable that a task returned, all of them or, when it throws, none.
 * Promises among them are awaited. Text is refused: a task that returns it means one result, not its characters.
 */
export function elementsOf(returned: unknown): unknown[] | Promise<unknown[]> {
  if (typeof returned === 'object' && returned !== null && hasTransfer(returned)) {
    throw typeError(
      'ERR_INVALID_RESULT',
      "Cannot move buffers of the task's result as its elements are sent one by one: mark the elements, as in [transfer(image, [image.buffer])]",
    )
  }
  if (Array.isArray(returned)) return settled([...(returned as unknown[])])
  if (typeof returned === 'object' && returned !== null) {
    const { [Symbol.iterator]: sync, [Symbol.asyncIterator]: async } = returned as Partial<
      Iterable<unknown> & AsyncIterable<unknown>
    >
    if (typeof sync === 'function') return settled(allAtOnce(returned as Iterable<unknown>))
    if (typeof async === 'function') return allOf(returned as AsyncIterable<unknown>)
  }
  throw typeError(
    'ERR_INVALID_RESULT',
    `Cannot expand the task's result as it must be an iterable or async iterable (for one result: [result]): received ${received(returned)}`,
  )
}

function settled(elements: unknown[]): unknown[] | Promise<unknown[]> {
  return elements.some(isThenable) ? Promise.all(elements) : elements
}

/** The error of a fold that returned nothing: the next item would be folded into undefined. */
export function noAccumulatorError(): TypeError {
  return typeError(
    'ERR_INVALID_RESULT',
    'Cannot continue the fold as the task must return the accumulator, even if it changed it in place: received undefined',
  )
}

/** The error of items whose task returned one object for several of them, and changed it in between. */
export function changedResultError(returned: object): TypeError {
  return typeError(
    'ERR_INVALID_RESULT',
    'Cannot send the result as the task has changed an object that it returned for the item before, and has returned it ' +
      'again. Results are copied when they are sent. Return a new object for each item, for example { ...result } or ' +
      `Buffer.from(bytes): received ${received(returned)}`,
  )
}

function allAtOnce(elements: Iterable<unknown>): unknown[] {
  const all: unknown[] = []
  const reuse = new ReuseCheck()
  for (const element of elements) all.push(unchanged(element, reuse))
  return all
}

async function allOf(elements: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  const reuse = new ReuseCheck()
  for await (const element of elements) all.push(unchanged(element, reuse))
  return all
}

function unchanged(element: unknown, reuse: ReuseCheck): unknown {
  if (typeof element === 'object' && element !== null && reuse.isChanged(element)) throw changedResultError(element)
  return element
}
