/**
 * A compressed body: members that are compressed side by side in the thread pool, and written in order. They end at
 * fixed places of the text, so the bytes do not depend on how the text arrives.
 */
import { availableParallelism } from 'node:os'
import { Fifo } from '../fifo.js'
import type { CutBody, BodyCut } from './body.js'
import type { BufferedOutput } from './buffered-output.js'
import { compressorOf, type Compression } from './compression.js'

/** A member ends with the first record that ends at or behind a multiple of this, in bytes of text. */
export const MEMBER_SIZE: number = 4 * 2 ** 20

/** The thread pool of libuv has this many threads by default. */
const MAX_AT_ONCE = 4

/** A cut behind this many members. It waits until the output has them: only then their length is known. */
interface WaitingCut {
  readonly count: number
  readonly resolve: (length: number) => void
  readonly reject: (error: unknown) => void
}

export class CompressedBody implements CutBody {
  readonly #output: BufferedOutput
  readonly #compress: ReturnType<typeof compressorOf>
  readonly #onFail: (error: unknown) => void
  readonly #memberSize: number
  readonly #atOnce: number
  /** The member that is collected. */
  #chunks: Uint8Array[] = []
  #size = 0
  /** How much text there was before it, and from where on it may end. */
  #cut: number
  #position = 0
  #count = 0
  /** How many members the output has, and the cuts that wait for others. */
  #passed = 0
  readonly #waitingCuts = new Fifo<WaitingCut>()
  /** Members in order: their text waits, or is compressed, or they wait for those before them. */
  readonly #members = new Fifo<Promise<Uint8Array>>()
  /** The texts that wait for a place in the thread pool, and how many places are taken. */
  readonly #waiting = new Fifo<() => void>()
  #active = 0
  /** Called when there may be room. */
  #tellRoom = noop
  #writing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(
    output: BufferedOutput,
    compression: Compression,
    onFail: (error: unknown) => void,
    memberSize: number = MEMBER_SIZE,
    atOnce: number = Math.min(availableParallelism(), MAX_AT_ONCE),
  ) {
    this.#output = output
    this.#compress = compressorOf(compression)
    this.#onFail = onFail
    this.#memberSize = memberSize
    this.#cut = memberSize
    this.#atOnce = atOnce
  }

  /** One text may wait, so that a place in the thread pool is not empty while the next text is made. */
  get isFull(): boolean {
    return this.#output.isFull || this.#waiting.size > 0 || this.#members.size > 2 * this.#atOnce
  }

  add(bytes: Uint8Array, ends: ArrayLike<number>): void {
    let from = 0
    if (this.#position + bytes.length >= this.#cut) {
      const start = this.#position
      for (const end of Array.from(ends)) {
        if (start + end < this.#cut || end === from) continue
        this.#collect(bytes.subarray(from, end))
        from = end
        this.#end()
      }
    }
    this.#collect(bytes.subarray(from))
  }

  async room(): Promise<void> {
    if (this.#output.isFull) await this.#output.room()
    else {
      await new Promise<void>((resolve) => {
        this.#tellRoom = resolve
      })
    }
  }

  async flush(): Promise<void> {
    await this.#writing
    if (this.#failure === undefined) await this.#output.drain()
  }

  async drain(): Promise<void> {
    // An output without text is one empty member: an empty file is not compressed data.
    if (this.#size > 0 || this.#count === 0) this.#end()
    await this.flush()
  }

  cut(): BodyCut {
    const passed = this.#passing(this.#count)
    return {
      text: this.#position,
      rest: [...this.#chunks],
      written: async () => {
        const length = await passed
        await this.#output.reach(length)
        return length
      },
    }
  }

  restore(text: number, rest: Uint8Array): void {
    this.#position = text - rest.length
    this.#cut = this.#nextCut()
    this.#collect(rest)
    if (this.#position > rest.length) this.#count = this.#passed = 1
  }

  /** Settles when the output has this many members, with its length. */
  #passing(count: number): Promise<number> {
    const passing = new Promise<number>((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure.error)
      else this.#waitingCuts.push({ count, resolve, reject })
    })
    // Perhaps nobody asks for it.
    passing.catch(noop)
    this.#tellCuts()
    return passing
  }

  #tellCuts(): void {
    for (let cut = this.#waitingCuts.peek(); cut?.count === this.#passed; cut = this.#waitingCuts.peek()) {
      cut.resolve(this.#output.added)
      void this.#waitingCuts.shift()
    }
  }

  /** Where a member that begins now may end. */
  #nextCut(): number {
    return (Math.floor(this.#position / this.#memberSize) + 1) * this.#memberSize
  }

  #collect(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.push(bytes)
    this.#size += bytes.length
    this.#position += bytes.length
  }

  #end(): void {
    const [only = new Uint8Array(0)] = this.#chunks
    const text = this.#chunks.length < 2 ? only : Buffer.concat(this.#chunks, this.#size)
    this.#chunks = []
    this.#size = 0
    this.#count++
    this.#cut = this.#nextCut()
    const member = this.#compressed(text)
    member.catch(noop)
    this.#members.push(member)
    if (this.#writing === undefined) this.#writing = this.#writeMembers()
  }

  /** Compresses a text once there is a place for it. */
  async #compressed(text: Uint8Array): Promise<Uint8Array> {
    if (this.#active >= this.#atOnce) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    } else this.#active++
    try {
      return await this.#compress(text)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#active--
      else next()
      this.#tellRoom()
    }
  }

  /** Never rejects. */
  async #writeMembers(): Promise<void> {
    try {
      for (let member = this.#members.peek(); member !== undefined; member = this.#members.peek()) {
        const bytes = await member
        void this.#members.shift()
        this.#tellRoom()
        if (this.#failure !== undefined) return
        this.#output.add(bytes)
        this.#passed++
        this.#tellCuts()
        if (this.#output.isFull) await this.#output.room()
      }
    } catch (error) {
      this.#failure = { error }
      for (let cut = this.#waitingCuts.shift(); cut !== undefined; cut = this.#waitingCuts.shift()) cut.reject(error)
      this.#onFail(error)
      this.#tellRoom()
    }
    this.#writing = undefined
  }
}

function noop(): void {
  // An error is told where the members are written.
}
