/**
 * The end of a fold that can go on where an earlier run was. Its checkpoint goes when its value is given. Who has more to
 * do with the value can hold the fold: the checkpoint then stays, with the value, until that is done.
 */
export class HeldFold {
  #isHeld = false
  /** Set when the value has been given while it was held. */
  #end: ((isDone: boolean) => Promise<void>) | undefined

  /** Before the value is given. */
  hold(): void {
    this.#isHeld = true
  }

  /** All is done with the value. Settles when the checkpoint is removed. */
  async release(): Promise<void> {
    await this.#end?.(true)
  }

  /** Something has failed: a later run gets the value. Settles when it can begin. */
  async discard(): Promise<void> {
    await this.#end?.(false)
  }

  /** For the fold. @param end Ends it: removes the checkpoint, or leaves it. */
  async give(end: (isDone: boolean) => Promise<void>): Promise<void> {
    if (this.#isHeld) this.#end = end
    else await end(true)
  }
}

/** Kept apart from the promises themselves: it is a matter between parts of this library. */
const folds = new WeakMap<object, HeldFold>()

/** Lets the end of a fold be held by its promise. */
export function offerHeldFold(promise: object, fold: HeldFold): void {
  folds.set(promise, fold)
}

/** Undefined: the fold leaves no checkpoint. */
export function heldFoldOf(promise: object): HeldFold | undefined {
  return folds.get(promise)
}
