/**
 * Ends the engine of a stream that nobody can read any more, because the consumer's object has been garbage collected. Otherwise it would
 * keep its place in the pool, its source and its listeners until the program ends.
 */

interface Abandonable {
  abandon(): void
}

const faces = new FinalizationRegistry<Abandonment>((abandonment) => {
  abandonment.end()
})

export class Abandonment {
  /**
   * Undefined while calls wait. The registry keeps this object alive, and so the engine and its calls. The calls refer to the code that
   * awaits them. If that code holds the stream, the stream could never be collected.
   */
  #engine: Abandonable | undefined
  #isDue = false

  /** @param face The consumer's object. The engine must not refer to it. */
  constructor(engine: Abandonable, face: object) {
    this.#engine = engine
    faces.register(face, this)
  }

  /** A call waits. It gets its answer before the engine ends. */
  suspend(): void {
    this.#engine = undefined
  }

  /** No call waits any more. */
  resume(engine: Abandonable): void {
    if (this.#isDue) engine.abandon()
    else this.#engine = engine
  }

  /** The face is gone. */
  end(): void {
    this.#isDue = true
    this.#engine?.abandon()
    this.#engine = undefined
  }
}
