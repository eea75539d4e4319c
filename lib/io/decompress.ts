/**
 * Decompressing on the way: a reader of compressed blocks in, a reader of blocks of text out. Members are taken one
 * after the other, and what is damaged is an error behind all text that could be decoded.
 */
import { crc32 } from 'node:zlib'
import { InputError } from '../errors.js'
import { ByteQueue } from './byte-queue.js'
import type { Compression, Decoder } from './compression.js'
import type { Damage, MemberText } from './damage.js'
import { DecoderOutput } from './decoder-output.js'
import { BLOCK_SIZE, Slab } from '../scan/memory.js'
import type { MemberLog } from './members.js'
import { salvage, written, type Blocks } from './salvage.js'
import { DONE, openSource, type Reader } from './source.js'

/** The least size of a decoder's output: many small members would spend their time on large ones. */
const MIN_CHUNK_SIZE = 64 * 1024

/** How much of a member is kept to decode it once more, where it cannot be read again. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024

/** Gives the input from an offset on, if it can be read again. It is called after the first `next()`. */
type ReadFrom = (offset: number) => Blocks | undefined

/** The member that is being read. */
interface Member {
  readonly decoder: Decoder
  readonly blocks: Reader<Buffer>
  readonly output: DecoderOutput
  /** Where in the input its data begin. */
  readonly start: number
  readonly text: MemberText
  /** Its data so far, where they cannot be read again. */
  kept: Buffer[] | undefined
  /** Whether its data are all read, so that the decoder is only asked whether they were whole. */
  probed: boolean
}

export class Decompressor implements Reader<Buffer> {
  readonly #compression: Compression
  readonly #input: ByteQueue
  readonly #readFrom: ReadFrom
  readonly #log: MemberLog | undefined
  #member: Member | undefined
  /** Settles when the decoder has been given all that it takes. */
  #feeding: Promise<void> | undefined
  /** An error of the input, which is thrown after all text before it. */
  #inputError: { error: unknown } | undefined
  #damage: Damage | undefined
  /** The slab of the block that was given last. */
  #given: Slab | undefined
  #chunkSize = BLOCK_SIZE
  #textLength: number
  #members = 0
  #closed = false

  /**
   * @param log Where members are noted.
   * @param start Of the first member: the input begins there.
   */
  constructor(
    compression: Compression,
    input: Reader<Buffer>,
    readFrom: ReadFrom,
    log?: MemberLog,
    start: { readonly compressed: number; readonly text: number } = { compressed: 0, text: 0 },
  ) {
    this.#compression = compression
    this.#input = new ByteQueue(input, start.compressed)
    this.#readFrom = readFrom
    this.#log = log
    this.#textLength = start.text
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    this.#release()
    while (!this.#closed) {
      if (this.#damage === undefined) this.#member ??= await this.#openMember()
      if (this.#damage !== undefined) throw this.#error(this.#damage)
      if (this.#member === undefined) break
      const text = await this.#read(this.#member)
      if (text !== undefined && text.length > 0) {
        this.#textLength += text.length
        return { done: false, value: text }
      }
    }
    return DONE
  }

  close(): unknown {
    this.#closed = true
    this.#member?.decoder.destroy()
    this.#member?.output.release(false)
    this.#release()
    return this.#input.close()
  }

  /** Releases the block that was given last. */
  #release(): void {
    this.#given?.release()
    this.#given = undefined
  }

  /** The next member; undefined if there is none. */
  async #openMember(): Promise<Member | undefined> {
    const input = this.#input
    const compression = this.#compression
    if (this.#members > 0) {
      if (compression.frame !== undefined) await input.skipZeros()
      if ((await input.peek()) === undefined) return undefined
      if (!compression.severalMembers) this.#damage = { what: 'bytes behind the end of the data', offset: input.offset }
    }
    this.#members++
    this.#log?.add(input.offset, this.#textLength)
    this.#damage ??= await compression.frame?.readHeader(input)
    if (this.#damage !== undefined || this.#closed) return undefined
    const decoder = compression.createDecoder(this.#chunkSize)
    // It may fail after the last read.
    decoder.on('error', () => {})
    const canReadAgain = this.#readFrom(input.offset) !== undefined
    const member: Member = {
      decoder,
      output: new DecoderOutput(decoder, !canReadAgain),
      blocks: openSource<Buffer>(decoder),
      start: input.offset,
      text: { length: 0, checksum: 0 },
      kept: canReadAgain ? undefined : [],
      probed: false,
    }
    this.#feeding = this.#feed(member)
    return member
  }

  /** Gives the decoder what it takes. Never rejects. */
  async #feed(member: Member): Promise<void> {
    const { decoder } = member
    const input = this.#input
    try {
      for (let block = await input.peek(); block !== undefined; block = await input.peek()) {
        const before = decoder.bytesWritten
        const tookAll = await written(decoder, block)
        if (this.#closed) return
        const taken = decoder.bytesWritten - before
        const used = decoder.errored ? block : block.subarray(0, taken)
        if (input.offset + used.length - member.start > MAX_KEPT_BYTES) member.kept = undefined
        member.kept?.push(Buffer.from(used))
        input.consume(taken)
        if (!tookAll) return
      }
      const { endProbe } = this.#compression
      if (endProbe !== undefined) {
        member.probed = true
        await written(decoder, endProbe.bytes)
      }
      decoder.end()
    } catch (error) {
      this.#inputError = { error }
      decoder.destroy()
    }
  }

  /** The next text of a member; undefined when it has ended, or there may be none. */
  async #read(member: Member): Promise<Buffer | undefined> {
    try {
      const result = await member.blocks.next()
      if (!result.done) return member.probed ? undefined : this.#checked(member, result.value)
      if (member.probed) this.#damage = this.#cutShort()
    } catch (thrown) {
      const error = thrown as NodeJS.ErrnoException
      await this.#feeding
      if (this.#closed || this.#inputError !== undefined) return this.#stop()
      if (!member.probed) return await this.#fail(member, error)
      if (error.code !== this.#compression.endProbe?.code) this.#damage = this.#cutShort()
    }
    await this.#feeding
    if (this.#closed || this.#inputError !== undefined) return this.#stop()
    this.#member = undefined
    member.output.release(true)
    this.#chunkSize = member.text.length <= MIN_CHUNK_SIZE ? MIN_CHUNK_SIZE : BLOCK_SIZE
    this.#damage ??= await this.#compression.frame?.readTrailer(this.#input, member.text)
    return undefined
  }

  #checked(member: Member, text: Buffer): Buffer {
    this.#given = member.output.read()
    member.text.length += text.length
    if (this.#compression.frame !== undefined) member.text.checksum = crc32(text, member.text.checksum)
    return text
  }

  /** The text ends here as the reader was closed, or as the input threw. */
  #stop(): Buffer | undefined {
    if (!this.#closed) this.#member?.output.release(true)
    this.#member = undefined
    if (this.#inputError !== undefined && !this.#closed) throw this.#inputError.error
    return undefined
  }

  /** The decoder has failed: gives what it had decoded before. */
  async #fail(member: Member, cause: NodeJS.ErrnoException): Promise<Buffer | undefined> {
    try {
      return await this.#salvage(member, cause)
    } finally {
      member.output.release(true)
    }
  }

  async #salvage(member: Member, cause: NodeJS.ErrnoException): Promise<Buffer | undefined> {
    this.#member = undefined
    if (cause.code === 'Z_BUF_ERROR') {
      this.#damage = { ...this.#cutShort(), cause }
      return undefined
    }
    const { start, kept, text, output } = member
    const offset = this.#input.offset
    this.#damage = { what: `invalid data (${cause.message})`, offset, cause }
    if (this.#compression.isRough) return undefined
    if (kept === undefined && this.#readFrom(start) === undefined) return output.take()
    const data = (): Blocks => kept ?? this.#readFrom(start) ?? []
    try {
      const saved = await salvage(this.#compression, data, offset - start, text.length)
      this.#damage = { ...this.#damage, offset: start + saved.consumed }
      return saved.text
    } catch {
      // The data cannot be read again. The error to tell is that they are damaged.
      return output.take()
    }
  }

  #cutShort(): Damage {
    return { what: 'the end of the input inside a member', offset: this.#input.offset }
  }

  #error({ what, offset, cause }: Damage): InputError {
    return new InputError(
      `Cannot decompress ${this.#compression.name} as its data must be intact: ` +
        `received ${what} at byte ${offset} of the compressed input, after ${this.#textLength} bytes of text`,
      'ERR_DAMAGED_INPUT',
      offset,
      cause === undefined ? undefined : { cause },
    )
  }
}
