/**
 * A call that may wait, written once for its two forms: a generator that yields its waits. `settle()` awaits them, and
 * `block()` blocks the thread for them. A call that need not wait does not make a generator.
 */

/** One wait. Both forms give false if the time of the call is over first. */
export interface Wait {
  /** Waits without blocking the thread. Rejects with the reason of the call's signal when it fires. */
  settle(): Promise<boolean>
  /** Blocks the thread. */
  block(): boolean
}

export type Steps<R> = Generator<Wait, R, boolean>

/** Runs a call up to its first wait at once, and continues after each wait. */
export async function settle<R>(steps: Steps<R>): Promise<R> {
  let step = steps.next()
  while (step.done !== true) {
    let isInTime: boolean
    try {
      isInTime = await step.value.settle()
    } catch (reason) {
      step = steps.throw(reason)
      continue
    }
    step = steps.next(isInTime)
  }
  return step.value
}

/** Runs a call to its end, and blocks the thread while it waits. */
export function block<R>(steps: Steps<R>): R {
  let step = steps.next()
  while (step.done !== true) step = steps.next(step.value.block())
  return step.value
}
