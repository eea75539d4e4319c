/** What units and results begin with. */
import type { ByteReader } from './byte-reader.js'
import type { ByteWriter } from './byte-writer.js'
import { FORMAT } from './format.js'

/** In bytes. */
export const TOKEN_LENGTH = 16

/** Tells which stream of which program a message belongs to. */
export interface Head {
  /** Known only to the program and its hosts: a result without it is false. */
  readonly token: Uint8Array
  /** The number of the stream. */
  readonly run: number
  readonly unit: number
}

export function writeHead(out: ByteWriter, kind: number, { token, run, unit }: Head): void {
  if (token.length !== TOKEN_LENGTH) throw new RangeError(`A token has ${TOKEN_LENGTH} bytes: received ${token.length}`)
  out.u8(FORMAT)
  out.u8(kind)
  out.raw(token)
  out.varint(run)
  out.varint(unit)
}

export function readHead(input: ByteReader, kind: number): Head {
  const format = input.u8()
  if (format !== FORMAT) throw input.fault(`its format is ${format}, and this version of millrace knows ${FORMAT}`)
  if (input.u8() !== kind) throw input.fault('it is of another kind')
  return { token: new Uint8Array(input.raw(TOKEN_LENGTH)), run: input.varint(), unit: input.varint() }
}
