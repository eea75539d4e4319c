/** Messages of the wire format, whole and damaged, and what reads them. */
import { Buffer } from 'node:buffer'
import { unpack } from '#dist/codec/codec.js'
import { encodeError } from '#dist/codec/error-codec/encode.js'
import type { HeldSegment } from '#dist/codec/records/record-batch.js'
import { bytesOfBody, plainBody, type Body } from '#dist/wire/body.js'
import { decodeData, encodeData, encodeValues } from '#dist/wire/data.js'
import { thrownBy } from '#dist/wire/error-envelope.js'
import { decodeResult, encodeResult, valuesOf, type Result } from '#dist/wire/result.js'
import { decodeUnit, encodeUnit, type Unit } from '#dist/wire/unit.js'

export const TOKEN = Uint8Array.from({ length: 16 }, (_, at) => at)

export const unit: Unit = {
  token: TOKEN,
  run: 3,
  unit: 300,
  task: 'parse',
  exported: false,
  kind: 'map',
  spread: false,
  ordered: true,
  stopOnError: true,
  eager: false,
  concurrency: 1,
  timeout: undefined,
  first: 70_000,
  count: 2,
  failed: [],
  initial: undefined,
  traceparent: undefined,
  body: plainBody(encodeValues(['a', 'b'])),
}

export const result: Result = {
  token: TOKEN,
  run: 3,
  unit: 300,
  part: 0,
  from: 0,
  count: 2,
  places: undefined,
  counts: undefined,
  errors: [],
  fault: undefined,
  isUnread: false,
  isLost: false,
  isFolded: false,
  isLast: true,
  time: 1.5,
  worker: 2,
  host: 'host',
  body: plainBody(encodeValues([1, 2])),
}

/** A block of lines, as `lines()` gives them. */
export function linesOf(text: string, more: Partial<HeldSegment> = {}): Parameters<typeof encodeData>[0] {
  const bytes = Buffer.from(text)
  const memory = new SharedArrayBuffer(bytes.length + 3)
  new Uint8Array(memory).set(bytes, 3)
  const found: number[] = []
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) found.push(at + 4)
  const isOpen = !text.endsWith('\n')
  if (isOpen) found.push(bytes.length + 4)
  const ends = new SharedArrayBuffer(4 * found.length)
  new Uint32Array(ends).set(found)
  const segment = {
    format: { kind: 'lines', encoding: 'utf8' },
    memory,
    start: 3,
    ends,
    endsAt: 0,
    count: found.length,
    isAscii: false,
    hasReturns: true,
    isOpen,
    file: 'a.log',
    record: 11,
    offset: 1_000,
    line: undefined,
    lineAt: 0,
    ...more,
  } as const
  return { kind: 'bytes', count: found.length, segments: [segment] }
}

const ring: Record<string, unknown> = { id: 1 }
ring.ring = ring
const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])
const row = (at: number): object => ({
  id: at,
  name: `name ${at}`,
  at: new Date(at),
  part: at % 2 === 0 ? null : { x: at / 3, list: [at, at + 1] },
  tags: ['a', 'b'].slice(at % 3),
})
const odd = [
  [ring, ring, new Map<unknown, unknown>([[ring, new Set([1n, -(2n ** 70n)])]]), [1, , -0]],
  [new Float64Array(bytes.buffer), bytes, Buffer.from('node'), new DataView(bytes.buffer, 2), Object('boxed')],
  [/a+/gu, new Date(NaN), new RangeError('told', { cause: ring }), Object.assign([1], { name: 'n', 99: 2 })],
  ['é€😀\ud800', 1.5, -7, { ['__proto__']: 1, [String(2)]: Object.create(null) as unknown }],
]
const errors = [
  encodeError(Object.assign(new AggregateError([new TypeError('one'), 'two'], 'all'), { code: 'E', ring })),
  encodeError(ring),
  encodeError(new DOMException('told', 'AbortError')),
]
const batch = Array.from({ length: 48 }, (_, at) => row(at))

/** A message, and how many values it has at most. */
export interface Message {
  readonly kind: 'body' | 'unit' | 'result'
  readonly bytes: Uint8Array
  readonly items: number
}

/** One of each kind, with everything in it that a message can have. */
export const MESSAGES: readonly Message[] = [
  body(encodeValues(odd), odd.length),
  body(encodeValues(batch), batch.length),
  body(
    encodeValues(batch.map((_, at): unknown => (at % 5 === 0 ? odd[at % 4] : [at, 'text', at % 2 === 0]))),
    batch.length,
  ),
  body(encodeData(linesOf('one\ntwo\r\n\ndrei €')), 4),
  {
    kind: 'unit',
    items: 3,
    bytes: encodeUnit({
      ...unit,
      kind: 'reduce',
      count: 3,
      timeout: 100,
      failed: errors.map((error, offset) => [offset, error] as const),
      initial: { value: odd },
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      body: plainBody(encodeValues([1, 'two', ring])),
    }),
  },
  {
    kind: 'result',
    items: 4,
    bytes: encodeResult({
      ...result,
      count: 3,
      places: [3, 0, 2],
      counts: Uint32Array.of(2, 0, 1),
      errors: [[1, errors[0] ?? encodeError(1)]],
      fault: errors[2],
      body: plainBody(encodeValues([1, 2, 3])),
    }),
  },
]

function body(bytes: Uint8Array, items: number): Message {
  return { kind: 'body', bytes, items }
}

/** Reads all that is in a message. Throws a `WireError`, or gives the values. */
export function read({ kind, bytes, items }: Message): unknown {
  switch (kind) {
    case 'body':
      return unpack(decodeData(bytes, items))
    case 'unit': {
      const unit = decodeUnit(bytes)
      return [unit.failed.map(([, error]) => thrownBy(error)), unit.initial, valuesIn(unit.body, unit.count)]
    }
    case 'result': {
      const result = decodeResult(bytes, () => items)
      if (result === undefined) return undefined
      const { errors, fault } = result
      return [
        errors.map(([, error]) => thrownBy(error)),
        fault && thrownBy(fault),
        valuesIn(result.body, valuesOf(result)),
      ]
    }
  }
}

function valuesIn(body: Body, count: number): unknown {
  const bytes = bytesOfBody(body)
  return bytes && unpack(decodeData(bytes, count))
}

const BYTES = [0, 1, 2, 3, 4, 9, 12, 15, 18, 19, 0x7f, 0x80, 0xfe, 0xff]

/** A copy with a few faults: bytes changed, left out, doubled, or taken from another message. */
export function damaged(message: Message, random: () => number): Message {
  const below = (limit: number): number => Math.floor(random() * limit)
  let bytes = Buffer.from(message.bytes)
  for (let times = 1 + below(3); times > 0; times--) {
    const at = below(bytes.length)
    const length = 1 + below(8)
    const other = MESSAGES[below(MESSAGES.length)]?.bytes ?? bytes
    const from = below(other.length)
    switch (below(8)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8))
        break
      case 1:
        bytes[at] = below(256)
        break
      case 2:
      case 3:
        bytes[at] = BYTES[below(BYTES.length)] ?? 0
        break
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
        break
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)])
        break
      case 6:
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + length), bytes.subarray(at + length)])
        break
      case 7:
        bytes = bytes.subarray(0, random() < 0.1 ? at : bytes.length)
        bytes.subarray(at, at + length).fill(0xff)
    }
  }
  return { ...message, bytes }
}
