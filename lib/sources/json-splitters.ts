/** Where the elements of an array of JSON end. */
import type { Position } from '../codec/records/format.js'
import { newlinesIn } from '../codec/records/place.js'
import { recordError } from '../codec/records/record-error.js'
import type { Json } from '../resume/mark.js'
import { ARRAY_START, findElements, type ElementState } from '../scan/elements.js'
import type { Slab } from '../scan/memory.js'
import type { EndsRoom } from '../scan/scan.js'
import { ArrayFinder, DocumentEnd, isSpace, type Step } from './array-finder.js'
import { bytesBehind } from './line-splitter.js'
import type { Split, Splitter } from './record-scanner.js'

const NEWLINE = 10
const CLOSE_BRACKET = 93

/** The elements of the array at a path of keys. */
export class ElementSplitter implements Splitter {
  readonly newline: number = NEWLINE
  readonly #finder: ArrayFinder
  readonly #end: DocumentEnd
  /** Before the array, at its first byte that is not a space, in it, behind it. */
  #phase: 'before' | 'first' | 'elements' | 'behind' = 'before'
  #state: ElementState = ARRAY_START

  constructor(path: readonly string[], encoding: string) {
    this.#finder = new ArrayFinder(path, encoding)
    this.#end = new DocumentEnd(path.length)
  }

  scan(bytes: Slab, from: number, to: number, room: EndsRoom): Split {
    if (this.#phase === 'elements') return this.#scanElements(bytes, from, to, room)
    const block = Buffer.from(bytes.buffer, from, to - from)
    const { scanned, isFound, failure } = this.#step(block)
    if (isFound) this.#phase = this.#phase === 'before' ? 'first' : 'elements'
    return {
      scanned,
      count: 0,
      isAscii: true,
      hasReturns: false,
      newlines: newlinesOf(block.subarray(0, scanned)),
      recordsFrom: from + scanned,
      failure: failure === undefined ? undefined : failing(failure),
    }
  }

  get state(): Json | undefined {
    return this.#phase === 'behind' ? { ...this.#end.state } : undefined
  }

  goOn(state: Json | undefined): void {
    this.#phase = state === undefined ? 'elements' : 'behind'
    if (state !== undefined) this.#end.goOn(state)
  }

  contentStart(bytes: Buffer, start: number, end: number): number {
    return bytesBehind(bytes, start, end, isSpace)
  }

  /** The error tells where the element begins that does not end, or else where the input ends. */
  end(rest: Buffer, place: Position): 'nothing' | Error {
    if (this.#phase === 'behind' && this.#end.depth === 0) return 'nothing'
    const expected =
      this.#phase === 'before'
        ? this.#finder.expectation
        : this.#phase === 'behind'
          ? 'the objects around the array must be closed'
          : 'the array must be closed'
    const spaces = bytesBehind(rest, 0, rest.length, isSpace)
    const at = { ...place, line: place.line + newlinesOf(rest.subarray(0, spaces)), offset: place.offset + spaces }
    return recordError(at, 'ERR_JSON', `${expected}: received the end of the input`)
  }

  #step(block: Buffer): Step {
    if (this.#phase === 'before') return this.#finder.find(block)
    if (this.#phase === 'behind') return this.#end.check(block)
    const at = bytesBehind(block, 0, block.length, isSpace)
    if (block[at] !== CLOSE_BRACKET) return { scanned: at, isFound: at < block.length, failure: undefined }
    this.#phase = 'behind'
    return { scanned: at + 1, isFound: false, failure: undefined }
  }

  #scanElements(bytes: Slab, from: number, to: number, room: EndsRoom): Split {
    const { stop, state, ...found } = findElements(bytes, from, to, this.#state, room)
    this.#state = state
    if (stop === 'closed') this.#phase = 'behind'
    return stop === 'brace'
      ? { ...found, failure: failing("a comma or ] must follow an element: received '}'") }
      : found
  }
}

function failing(reason: string): (place: Position) => Error {
  return (place) => recordError(place, 'ERR_JSON', reason)
}

function newlinesOf(block: Buffer): number {
  return newlinesIn(block.buffer, block.byteOffset, block.byteOffset + block.length, NEWLINE)
}
