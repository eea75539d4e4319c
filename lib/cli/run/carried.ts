/**
 * The place of an item on its way from one pass to the next. There, a result is an item, and its own place is unknown to
 * the library. So it travels together with the place of the item that it was made of.
 */
import type { TaskContext } from '../../task.js'
import type { TaskFunction } from '../../worker/load.js'
import type { Pass } from './pass.js'

/** A result with the file and the record of its item. */
type Carried = readonly [result: unknown, file: string | undefined, record: number | undefined]

/** The task of a pass whose results carry their places. */
export function carrying(pass: Pass): TaskFunction {
  return (item, given) => {
    const context = given as TaskContext
    return pass.apply(item, context, (result): Carried => [result, context.file, context.record])
  }
}

/** The task of a pass whose items carry them. */
export function ofCarried(task: TaskFunction): TaskFunction {
  return (carried, context) => {
    const [item, file, record] = carried as Carried
    return task(item, new CarriedContext(context as TaskContext, file, record))
  }
}

/** The same, for a fold. */
export function foldOfCarried(task: TaskFunction): TaskFunction {
  return (accumulator, carried, context) => {
    const [item, file, record] = carried as Carried
    return task(accumulator, item, new CarriedContext(context as TaskContext, file, record))
  }
}

/** The context of an item that another pass has made. */
class CarriedContext implements TaskContext {
  readonly file: string | undefined
  readonly record: number | undefined
  readonly #own: TaskContext

  constructor(own: TaskContext, file: string | undefined, record: number | undefined) {
    this.#own = own
    this.file = file
    this.record = record
  }

  get index(): number {
    return this.#own.index
  }

  get signal(): AbortSignal {
    return this.#own.signal
  }

  get worker(): number {
    return this.#own.worker
  }

  get traceparent(): string | undefined {
    return undefined
  }

  get line(): number | undefined {
    return undefined
  }

  get offset(): number | undefined {
    return undefined
  }
}
