/**
 * Steps through the frames of zstd, and refuses one that needs very much memory, as Node's decoder does. fzstd allocates
 * what a frame asks for. It decodes nothing, and leaves all other faults to the decoder.
 */

/** What Node's decoder, and the program zstd, take by default, in bytes. */
const MAX_WINDOW_SIZE = 128 * 1024 * 1024

const MAGIC = 0xfd2fb528
const SKIPPED_MAGIC = 0x184d2a50
const MAGIC_LENGTH = 4
const BLOCK_HEADER_LENGTH = 3
const CHECKSUM_LENGTH = 4
const ONE_BYTE_BLOCK = 1

type State = 'frame' | 'block' | 'lost'

export class ZstdFrames {
  #state: State = 'frame'
  /** The bytes of a header that is not complete. */
  #header: number[] = []
  /** How many bytes come before the next header. */
  #skip = 0
  #hasChecksum = false

  /** Looks at the next bytes. Throws if a frame begins whose window is too large. */
  check(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.#state !== 'lost';) {
      const skipped = Math.min(this.#skip, bytes.length - at)
      this.#skip -= skipped
      at += skipped
      if (at >= bytes.length) return
      this.#header.push(bytes[at++] ?? 0)
      const isComplete = this.#state === 'frame' ? this.#readFrame() : this.#readBlock()
      if (isComplete) this.#header = []
    }
  }

  /** @returns Whether the header is complete. */
  #readFrame(): boolean {
    const header = this.#header
    if (header.length < MAGIC_LENGTH + 1) return false
    const magic = number(header, 0, MAGIC_LENGTH)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPED_MAGIC) {
      if (header.length < 2 * MAGIC_LENGTH) return false
      this.#skip = number(header, MAGIC_LENGTH, 4)
      return true
    }
    if (magic !== MAGIC) {
      this.#state = 'lost'
      return true
    }
    const descriptor = header[MAGIC_LENGTH] ?? 0
    const isSingle = (descriptor & 0x20) !== 0
    const idLength = [0, 1, 2, 4][descriptor & 3] ?? 0
    const sizeLength = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
    const windowAt = MAGIC_LENGTH + 1
    const sizeAt = windowAt + (isSingle ? 0 : 1) + idLength
    if (header.length < sizeAt + sizeLength) return false
    const size = number(header, sizeAt, sizeLength) + (sizeLength === 2 ? 256 : 0)
    const window = isSingle ? size : windowSize(header[windowAt] ?? 0)
    if (window > MAX_WINDOW_SIZE) {
      throw new Error(`a frame needs a window of ${window} bytes, at most ${MAX_WINDOW_SIZE} are allowed`)
    }
    this.#hasChecksum = (descriptor & 4) !== 0
    this.#state = 'block'
    return true
  }

  #readBlock(): boolean {
    const header = this.#header
    if (header.length < BLOCK_HEADER_LENGTH) return false
    const block = number(header, 0, BLOCK_HEADER_LENGTH)
    this.#skip = ((block >> 1) & 3) === ONE_BYTE_BLOCK ? 1 : block >> 3
    if ((block & 1) === 1) {
      if (this.#hasChecksum) this.#skip += CHECKSUM_LENGTH
      this.#state = 'frame'
    }
    return true
  }
}

/** The lowest byte comes first. */
function number(bytes: readonly number[], start: number, length: number): number {
  let value = 0
  for (let at = start + length - 1; at >= start; at--) value = value * 256 + (bytes[at] ?? 0)
  return value
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}
