/**
 * Finds where the elements of an array of JSON end: by the kernel, or by an automaton. The automaton is the definition,
 * and the kernel finds the same in any bytes.
 */
import { isAscii } from 'node:buffer'
import { openKernel, RESULT, type Slab } from './memory.js'
import { roomFor, type EndsRoom, type Found } from './scan.js'

/** Where in an element a scan begins or stops. */
export interface ElementState {
  /** How many brackets of the element are open. */
  readonly depth: number
  readonly isInString: boolean
  /** Whether the next byte is behind a backslash, so that a quote is text. */
  readonly isEscaped: boolean
}

/** Behind the bracket that opens the array. */
export const ARRAY_START: ElementState = { depth: 0, isInString: false, isEscaped: false }

/** What was found: the ends of elements, behind the comma or bracket that ends each one. */
export interface ElementsFound extends Found {
  /** How many newlines were scanned. */
  readonly newlines: number
  /** For the next bytes. */
  readonly state: ElementState
  /** Why the scan stopped. `'closed'`: behind the bracket that closes the array. `'brace'`: before a `}` that closes nothing. */
  readonly stop: 'closed' | 'brace' | undefined
}

const QUOTE = 34
const COMMA = 44
const BACKSLASH = 92
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const NEWLINE = 10

/** What the kernel returns. */
const NOT_ASCII = 1
const CLOSED = 4
const BRACE = 8
const IN_STRING = 16
const ESCAPED = 32

/** Finds the ends of elements from position `from` up to `to` in the memory of the slab. Brackets of both kinds count alike. */
export function findElements(
  bytes: Slab,
  from: number,
  to: number,
  state: ElementState,
  room: EndsRoom,
): ElementsFound {
  const kernel = bytes.isScannable && room.slab.isScannable ? openKernel() : null
  if (kernel === null) return findElementsSlowly(bytes, from, to, state, room)
  const before = (state.isInString ? 1 : 0) | (state.isEscaped ? 2 : 0)
  const end = room.slab.start + room.slab.size
  const scanned = kernel.elements(from, to, state.depth, before, room.at, end, RESULT)
  const [count = 0, flags = 0, newlines = 0, depth = 0] = kernel.result
  return {
    scanned,
    count,
    isAscii: (flags & NOT_ASCII) === 0,
    hasReturns: false,
    newlines,
    state: { depth, isInString: (flags & IN_STRING) !== 0, isEscaped: (flags & ESCAPED) !== 0 },
    stop: (flags & CLOSED) !== 0 ? 'closed' : (flags & BRACE) !== 0 ? 'brace' : undefined,
  }
}

/** The definition: one byte after the other. */
export function findElementsSlowly(
  bytes: Slab,
  from: number,
  to: number,
  { depth, isInString, isEscaped }: ElementState,
  room: EndsRoom,
): ElementsFound {
  const block = Buffer.from(bytes.buffer, from, to - from)
  const ends = new Uint32Array(room.slab.buffer, room.at, roomFor(room))
  let stop: ElementsFound['stop']
  let count = 0
  let newlines = 0
  let at = 0
  while (at < block.length && count < ends.length && stop === undefined) {
    const byte = block[at] ?? 0
    const isText = isEscaped
    isEscaped = !isEscaped && byte === BACKSLASH
    if (byte === NEWLINE) newlines++
    if (byte === QUOTE && !isText) isInString = !isInString
    else if (!isInString) {
      if (byte === OPEN_BRACKET || byte === OPEN_BRACE) depth++
      else if (depth > 0) {
        if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--
      } else if (byte === CLOSE_BRACE) {
        stop = 'brace'
        break
      } else if (byte === COMMA || byte === CLOSE_BRACKET) {
        ends[count++] = from + at + 1
        if (byte === CLOSE_BRACKET) stop = 'closed'
      }
    }
    at++
  }
  return {
    scanned: at,
    count,
    isAscii: isAscii(block.subarray(0, at)),
    hasReturns: false,
    newlines,
    state: { depth, isInString, isEscaped },
    stop,
  }
}
