/** Calls that may take a while, one after the other. Where none is under way, a call is made at once. */
export class Sequence {
  #last: Promise<void> | undefined

  run(call: () => Promise<void> | undefined): void {
    const running = this.#last === undefined ? call() : this.#last.then(call)
    if (running === undefined) return
    this.#last = running
    void running.then(() => {
      if (this.#last === running) this.#last = undefined
    })
  }
}
