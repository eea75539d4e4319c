/**
 * Notices that a stream can no longer be read, because what the consumer held of it has been collected, and ends its engine:
 * otherwise it would keep its place in the pool, its source and its listeners for as long as the program runs.
 */

/** What is ended. */
interface Abandonable {
  abandon(): void
}

const faces = new FinalizationRegistry<Abandonment>((abandonment) => {
  abandonment.end()
})

export class Abandonment {
  /**
   * Undefined while calls wait. The registry keeps this object alive, and so the engine and the calls. The calls lead
   * to the code that awaits them. If that code held the stream, nothing could ever be collected.
   */
  #engine: Abandonable | undefined
  #isDue = false

  /** @param face What the consumer holds. The engine must not lead to it. */
  constructor(engine: Abandonable, face: object) {
    this.#engine = engine
    faces.register(face, this)
  }

  /** A call waits. It is answered first. */
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
