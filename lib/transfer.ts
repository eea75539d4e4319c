/** `transfer`: says which buffers of a result are moved to the thread that gets it. */
import { noteTransfer, transferListFault, type TransferList } from './codec/transfer-list.js'
import { received, typeError } from './errors.js'

/**
 * Marks ArrayBuffers of a task's result: they are moved to the thread that gets it, and not copied. That takes the same time for a
 * buffer of any size; it is worth its cost of some microseconds from about 100 KiB on.
 *
 * Return what it gives: `return transfer(image, [image.pixels.buffer])`. When the result is sent, the task's buffers are detached: they and
 * their views have the length 0. A worker must not keep or return them again. With `flatMap`, mark the elements. With
 * `workers: 0` nothing is moved. For buffers of items there is the option `transfer`.
 *
 * @param value The result, an object: a typed array, a `Buffer`, or what has them in it. It is the whole result, not a part of it.
 * @param buffers The buffers to move. They need not be in the value. Only ArrayBuffers are moved.
 * @returns The value itself.
 * @throws {TypeError} `ERR_INVALID_ARGUMENTS`: the value is not an object, or the list has something else than ArrayBuffers, a
 * buffer twice, or one that was moved before. A buffer that Node cannot move, such as that of `Buffer.from('text')`, fails its item with a
 * `NotSerializableError` (`ERR_NOT_SERIALIZABLE`) when the result is sent.
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
  // A copy: what the caller does with its list does not matter any more.
  noteTransfer(value, [...(buffers as TransferList)])
  return value
}

function assertValue(value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    throw wrong(`its value must be an object that holds them: received ${received(value)}`)
  }
  if (typeof (value as { then?: unknown }).then === 'function') throw wrong('its value is a promise: await it first')
}

function wrong(reason: string): TypeError {
  return typeError('ERR_INVALID_ARGUMENTS', `Cannot move buffers with transfer() as ${reason}`)
}
