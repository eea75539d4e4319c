/**
 * The error envelope: what a task threw, as plain data that crosses to another thread and is rebuilt there.
 * Not for values: structured clone carries those. It alone would not do for errors, as it drops `code` and fields,
 * makes `{}` of a `DOMException`, and fails when a `cause` is a function.
 */
import { revive } from './shared-objects.js'
import { BUILT_IN, errorClass } from './error-classes.js'
import type { Envelope, Sealed, SealedError } from './sealed.js'
import { Sealing } from './sealing.js'
import { read } from './thrown.js'

export type { Envelope } from './sealed.js'

/**
 * Makes plain data of what was thrown; structured clone can always clone it. Never throws.
 * @param note Names task, item and worker; becomes the last line of the thrown error's stack.
 */
export function sealError(thrown: unknown, note?: string): Envelope {
  return new Sealing().seal(thrown, note)
}

/** Rebuilds what was thrown from a clone of its envelope. */
export function openError({ thrown, errors }: Envelope): unknown {
  const opened = errors.map(rebuilt)
  errors.forEach(({ fields }, number) => {
    for (const { key, hidden, content } of fields) define(opened[number], key, unsealed(content, opened), !hidden)
  })
  return unsealed(thrown, opened)
}

/** An instance of the nearest class that this thread has too. Code of the user is not called: a class may not know its own error. */
function rebuilt({ kinds, name, message, stack }: SealedError): Error {
  const kind = kinds[kinds.length - 1]
  const Class = kinds.map(errorClass).find((known) => known !== undefined) ?? BUILT_IN[kind]
  const error = (
    kind === 'DOMException'
      ? Reflect.construct(DOMException, [message, name], Class)
      : // A native error, whatever its class: the constructors of the others want arguments that are set as fields later.
        Reflect.construct(Error, message === undefined ? [] : [message], Class)
  ) as Error
  if (name !== undefined && read(error, 'name')?.value !== name) define(error, 'name', name, false)
  define(error, 'stack', stack ?? textOf(error), false)
  return error
}

function textOf(error: Error): string {
  try {
    return String(error)
  } catch {
    return Error.prototype.toString.call({ name: 'Error', message: error.message })
  }
}

function unsealed(sealed: Sealed, opened: readonly Error[]): unknown {
  if ('error' in sealed) return opened[sealed.error]
  if ('list' in sealed) return sealed.list.map((each) => unsealed(each, opened))
  return revive(sealed.value).value
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true })
}
