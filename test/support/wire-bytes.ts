/** Writes bytes of the wire format by hand: a number is a byte, and a text is a string with its length. */
import { ByteWriter } from '#dist/wire/byte-writer.js'

export type Piece = number | string | ((out: ByteWriter) => void)

export function bytesOf(...pieces: readonly Piece[]): Uint8Array {
  const out = new ByteWriter()
  put(out, pieces)
  return out.written
}

export function put(out: ByteWriter, pieces: readonly Piece[]): void {
  for (const piece of pieces) {
    if (typeof piece === 'number') out.u8(piece)
    else if (typeof piece === 'string') out.string(piece)
    else piece(out)
  }
}

export function varint(value: number): Piece {
  return (out) => {
    out.varint(value)
  }
}

export function u32(value: number): Piece {
  return (out) => {
    out.u32(value)
  }
}

export function f64(value: number): Piece {
  return (out) => {
    out.f64(value)
  }
}

export function pad(size: number): Piece {
  return (out) => {
    out.pad(size)
  }
}

export function zeros(count: number): Piece {
  return (out) => {
    out.zeros(count)
  }
}

export function array(values: Uint16Array | Float64Array): Piece {
  return (out) => {
    out.array(values)
  }
}

export function repeated(times: number, ...pieces: readonly Piece[]): Piece {
  return (out) => {
    for (let at = 0; at < times; at++) put(out, pieces)
  }
}
