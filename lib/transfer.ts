/** `transfer`: says which buffers of a result are moved to the thread that receives it. */
import { noteTransfer, transferListFault, type TransferList } from './codec/transfer-list.js'
import { received, typeError } from './errors.js'
import { isThenable } from './thenable.js'

/**
 * Marks ArrayBuffers of a task's result. They are then moved to the thread that receives the result, and not copied. A
 * move takes the same time for a buffer of any size. It costs some microseconds, and pays from about 100 KiB on.
 *
 * Return its result: `return transfer(image, [image.pixels.buffer])`. When the result is sent, the task's buffers are
 * detached: they and their views have the length 0. A worker must not keep or return them again. With `flatMap`, mark
 * the elements. With `workers: 0` nothing is moved. For buffers of items, use the option `transfer`.
 *
 * @param value The whole result, not a part of it: a typed array, a `Buffer`, or an object that contains them.
 * @param buffers The buffers to move. Only ArrayBuffers are moved. They can also be outside the value.
 * @returns The value itself.
 * @throws {TypeError} `ERR_INVALID_ARGUMENTS`: the value is not an object, or the list is wrong. It must contain only
 * ArrayBuffers, none twice, and none that was moved before. Node cannot move some buffers, such as that of
 * `Buffer.from('text')`. Then the item fails with a `NotSerializableError` (`ERR_NOT_SERIALIZABLE`) when the result is
 * sent.
 *
 * @example
 * ```ts
 * import { imap, isMainThread, task, transfer } from 'millrace'
 *
 * const noise = task(import.meta.url, 'noise', (length: number) => {
 *   const samples = Float64Array.from({ length }, () => Math.random())
 *   return transfer({ length, samples }, [samples.buffer])
 * })
 *
 * if (isMainThread) {
 *   for await (const { samples } of imap(noise, [10, 1_000_000])) console.log(samples.byteLength)
 *   // → 80
 *   // → 8000000
 * }
 * ```
 */
export function transfer<T extends object>(value: T, buffers: readonly ArrayBufferLike[]): T {
  assertValue(value)
  const fault = transferListFault(buffers)
  if (fault !== undefined) throw wrong(fault)
  // A copy, so that later changes of the caller's list have no effect.
  noteTransfer(value, [...(buffers as TransferList)])
  return value
}

function assertValue(value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    throw wrong(`its value must be an object that holds them: received ${received(value)}`)
  }
  if (isThenable(value)) throw wrong('its value is a promise: await it first')
}

function wrong(reason: string): TypeError {
  return typeError('ERR_INVALID_ARGUMENTS', `Cannot move buffers with transfer() as ${reason}`)
}
