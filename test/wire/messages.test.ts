import { unpack } from '#dist/codec/codec.js'
import { encodeError } from '#dist/codec/error-codec/encode.js'
import { BODY_ROOM, bytesOfBody, deflatedBody, plainBody, takesDeflated } from '#dist/wire/body.js'
import { decodeData, encodeValues } from '#dist/wire/data.js'
import { decodeResult, encodeResult, valuesOf, type Result } from '#dist/wire/result.js'
import { decodeUnit, encodeUnit, type Unit } from '#dist/wire/unit.js'
import { WireError } from '#dist/wire/wire-error.js'
import { result, TOKEN, unit } from '../support/wire-messages.js'

const own = (): number => 2
const error = encodeError(new Error('told'))

describe('a unit', () => {
  it.each<[string, Partial<Unit>]>([
    ['without anything special', {}],
    ['with every flag', { exported: true, spread: true, ordered: false, stopOnError: false, eager: true }],
    ['of a fold', { kind: 'reduce', initial: { value: { sum: [0, undefined] } }, failed: [[1, error]] }],
    ['with limits', { kind: 'filter', concurrency: 16, timeout: 0.5, first: 2 ** 50, run: 2 ** 53 - 1 }],
    ['of a trace', { kind: 'flatMap', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }],
  ])('arrives as it was sent, %s', (_, more) => {
    const sent = { ...unit, ...more }
    expect(decodeUnit(encodeUnit(sent))).toEqual({
      ...sent,
      body: { ...sent.body, bytes: Buffer.from(sent.body.bytes) },
    })
  })

  it('has its items, also compressed', async () => {
    const items = Array.from({ length: 1_000 }, (_, at) => ({ at, text: 'the same text again and again' }))
    const body = encodeValues(items)
    const packed = await deflatedBody(body)
    expect(packed.bytes.length).toBeLessThan(body.length / 2)
    for (const each of [plainBody(body), packed]) {
      const arrived = decodeUnit(encodeUnit({ ...unit, count: 1_000, body: each }))
      expect(unpack(decodeData(bytesOfBody(arrived.body) ?? body.subarray(0, 1), arrived.count))).toEqual(items)
    }
  })

  it.each([
    ['is written before its items, where their memory has room', {}, true],
    ['is copied where it is longer than that', { task: 'x'.repeat(BODY_ROOM) }, false],
  ])('%s: the bytes are the same', (_, more, isInPlace) => {
    const items = [1.5, 'text', Float64Array.of(1, 2, 3)]
    const message = { ...unit, ...more, count: 3 }
    const copied = encodeUnit({ ...message, body: plainBody(encodeValues(items)) })
    const roomy = encodeValues(items, BODY_ROOM)
    const sent = encodeUnit({ ...message, body: plainBody(roomy, BODY_ROOM) })
    expect(Buffer.compare(sent, copied)).toBe(0)
    expect(sent.buffer === roomy.buffer).toBe(isInPlace)
  })

  it('says that its answer may be compressed, though it is not', () => {
    const body = { ...plainBody(encodeValues([1, 2])), isDeflateWelcome: true } as const
    const arrived = decodeUnit(encodeUnit({ ...unit, count: 2, body }))
    expect(takesDeflated(arrived.body)).toBe(true)
    expect(bytesOfBody(arrived.body)).toEqual(Buffer.from(body.bytes))
    expect(takesDeflated(decodeUnit(encodeUnit(unit)).body)).toBe(false)
  })

  it('stays as it is where compression does not make it shorter', async () => {
    const body = encodeValues([1])
    expect(await deflatedBody(body)).toEqual(plainBody(body))
  })

  it.each<[string, Partial<Unit>, RegExp]>([
    ['has no items', { count: 0 }, /no items/],
    ['has more items than can be counted', { first: 2 ** 53 - 2 }, /too many/],
    ['may run no item', { concurrency: 0 }, /may run no item/],
    ['has no time', { timeout: 0 }, /time limit/],
    ['has a time limit that is no number', { timeout: NaN }, /time limit/],
    ['is a fold that begins nowhere', { kind: 'reduce' }, /a fold begins/],
    ['has an error of no item', { failed: [[2, error]] }, /of no item/],
    [
      'has two errors of an item',
      {
        failed: [
          [1, error],
          [1, error],
        ],
      },
      /of no item/,
    ],
    ['has a body of another length', { body: { ...unit.body, length: 1 } }, /another length/],
    [
      'has a body that is too large',
      { body: { ...unit.body, isDeflated: true, length: 2 ** 27 } },
      /more than 67108864 bytes/,
    ],
  ])('is refused if it %s', (_, more, text) => {
    const bytes = encodeUnit({ ...unit, ...more })
    expect(() => decodeUnit(bytes)).toThrow(WireError)
    expect(() => decodeUnit(bytes)).toThrow(text)
  })

  it('is refused if it is of another version, or no unit', () => {
    const bytes = encodeUnit(unit)
    bytes[0] = 2
    expect(() => decodeUnit(bytes)).toThrow('its format is 2, and this version of millrace knows 1')
    expect(() => decodeUnit(encodeResult(result))).toThrow('it is of another kind')
    expect(() => encodeUnit({ ...unit, token: new Uint8Array(15) })).toThrow(RangeError)
  })
})

describe('a result', () => {
  it.each<[string, Partial<Result>]>([
    ['without anything special', {}],
    ['in no order', { places: [1, 0] }],
    ['of several values for an item', { counts: Uint32Array.of(0, 2) }],
    ['of a fold', { isFolded: true }],
    [
      'of failed items',
      {
        errors: [
          [0, error],
          [1, encodeError('text')],
        ],
        time: 0,
      },
    ],
    ['of a fault', { count: 0, fault: error, isUnread: true }],
    ['of a lost unit', { count: 0, isLost: true, isLast: false }],
  ])('arrives as it was sent, %s', (_, more) => {
    const sent = { ...result, ...more }
    expect(decodeResult(encodeResult(sent), own)).toEqual({
      ...sent,
      body: { ...sent.body, bytes: Buffer.from(sent.body.bytes) },
    })
  })

  it('tells how many values it has', () => {
    expect(valuesOf(result)).toBe(2)
    expect(valuesOf({ ...result, isFolded: true })).toBe(1)
    expect(valuesOf({ ...result, counts: Uint32Array.of(3, 0, 4) })).toBe(7)
  })

  it('is not read if it is not ours', () => {
    const bytes = encodeResult(result).subarray(0, 21)
    const heads: unknown[] = []
    const itemsOf = (head: unknown): undefined => {
      heads.push(head)
    }
    expect(decodeResult(bytes, itemsOf)).toBeUndefined()
    expect(heads).toEqual([{ token: TOKEN, run: 3, unit: 300 }])
  })

  it.each<[string, Partial<Result>, RegExp]>([
    ['has outcomes behind the last item', { from: 1 }, /does not have/],
    ['has a place behind the last item', { places: [0, 2] }, /of no item/],
    ['has a place twice', { places: [1, 1] }, /stands twice/],
    ['has an error of no item', { errors: [[2, error]] }, /of no item/],
    ['has values of each item of a fold', { isFolded: true, counts: Uint32Array.of(1, 1) }, /fold/],
    ['has taken less than no time', { time: -1 }, /below zero/],
    ['has taken no known time', { time: NaN }, /below zero/],
  ])('is refused if it %s', (_, more, text) => {
    const bytes = encodeResult({ ...result, ...more })
    expect(() => decodeResult(bytes, own)).toThrow(WireError)
    expect(() => decodeResult(bytes, own)).toThrow(text)
  })
})
