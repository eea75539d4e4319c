/** A source that is watched. The way a stream reads and closes it shows more faults than the results. */

export class Watch {
  /** The first forbidden action. */
  wrong: string | undefined
  #reads = 0
  #closes = 0
  #reading = false
  #ended = false
  /** The reader has had one turn of the event loop to see the end. */
  #endIsKnown = false

  /** @param most The number of items that may have been read by now. */
  over<T>(source: AsyncIterable<T>, most: () => number): AsyncIterable<T> {
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = source[Symbol.asyncIterator]()
        return {
          next: () => this.#next(iterator, most()),
          return: async () => {
            this.#closes++
            if (this.#closes > 1) this.#note('it closes its source twice')
            if (this.#endIsKnown) this.#note('it closes a source that has ended')
            await iterator.return?.()
            return { done: true, value: undefined }
          },
        }
      },
    }
  }

  /** Whether the source was read, has not ended, and is still to be closed. */
  get isOpen(): boolean {
    return this.#reads > 0 && !this.#ended && this.#closes === 0
  }

  async #next<T>(iterator: AsyncIterator<T>, most: number): Promise<IteratorResult<T>> {
    if (this.#reading) this.#note('it reads its source twice at a time')
    if (this.#endIsKnown || this.#closes > 0) this.#note('it reads a source that has ended or is closed')
    if (++this.#reads > most) this.#note(`it has read ${this.#reads} items where it may read ${most}`)
    this.#reading = true
    try {
      const result = await iterator.next()
      if (result.done === true) this.#end()
      return result
    } catch (error) {
      this.#end()
      throw error
    } finally {
      this.#reading = false
    }
  }

  #end(): void {
    this.#ended = true
    setImmediate(() => {
      this.#endIsKnown = true
    })
  }

  #note(wrong: string): void {
    this.wrong ??= wrong
  }
}
