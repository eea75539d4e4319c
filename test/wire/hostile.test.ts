import { deflateRawSync } from 'node:zlib'
import { bytesOfBody, unpackBody } from '#dist/wire/body.js'
import { ByteReader } from '#dist/wire/byte-reader.js'
import { decodeData, encodeValues } from '#dist/wire/data.js'
import { BODY, COLUMN, TAG } from '#dist/wire/format.js'
import { ValueReader } from '#dist/wire/value-reader.js'
import { WireError } from '#dist/wire/wire-error.js'
import { randomOf } from '../support/random.js'
import { difference } from '../codec/difference.js'
import { runProgram } from '../support/programs.js'
import { times } from '../support/volume.js'
import { array, bytesOf, pad, repeated, u32, varint, zeros, type Piece } from '../support/wire-bytes.js'
import { damaged, MESSAGES, read } from '../support/wire-messages.js'

function fault(bytes: Uint8Array, count = 1): string {
  try {
    decodeData(bytes, count)
  } catch (error) {
    expect(error).toBeInstanceOf(WireError)
    return (error as Error).message
  }
  return 'read'
}

describe('a reader of hostile bytes', () => {
  it('reads every message that is whole', () => {
    for (const message of MESSAGES) expect(() => read(message)).not.toThrow()
  })

  it('gives a value or a WireError for damaged messages', () => {
    const random = randomOf(7)
    let refused = 0
    const runs = times(3_000, 500_000)
    for (let run = 0; run < runs; run++) {
      const message = damaged(MESSAGES[run % MESSAGES.length] ?? fail(), random)
      try {
        read(message)
      } catch (error) {
        if (!(error instanceof WireError)) throw new Error(`run ${run} of ${message.kind}`, { cause: error })
        refused++
      }
    }
    // Otherwise the damage does not reach what is to be tested, or nothing is read behind it.
    expect(refused / runs).toBeGreaterThan(0.5)
    expect(refused / runs).toBeLessThan(0.95)
  })

  it('gives a WireError for every message that ends too early', () => {
    for (const message of MESSAGES) {
      for (let length = 0; length < message.bytes.length; length += times(23, 1)) {
        const short = { ...message, bytes: message.bytes.subarray(0, length) }
        expect(() => read(short)).toThrow(WireError)
      }
    }
  })

  it('reads a message at any place of a larger one', () => {
    for (const message of MESSAGES) {
      for (let shift = 0; shift < 9; shift++) {
        const frame = new Uint8Array(message.bytes.length + 20).fill(0xff)
        frame.set(message.bytes, shift)
        const bytes = frame.subarray(shift, shift + message.bytes.length)
        expect(difference(read({ ...message, bytes }), read(message))).toBeUndefined()
      }
    }
  })

  it.each<[string, RegExp, Uint8Array, number?]>([
    ['4 billion elements', /are left/, bytesOf(BODY.values, TAG.array, varint(2 ** 32 - 1))],
    ['4 billion entries', /are left/, bytesOf(BODY.values, TAG.map, u32(2 ** 32 - 1))],
    ['a buffer of 2^53 bytes', /are left/, bytesOf(BODY.values, TAG.buffer, varint(2 ** 53 - 1), pad(8))],
    ['a text of 2^50 bytes', /are left/, bytesOf(BODY.values, TAG.string, varint(2 ** 52))],
    ['an integer of 9 bytes', /too large/, bytesOf(BODY.values, TAG.string, repeated(9, 0xff))],
    ['padding of other bytes', /padding/, bytesOf(BODY.values, TAG.buffer, varint(1), 1, zeros(9))],
    ['1,001 levels', /1000 levels/, bytesOf(BODY.values, repeated(1_001, TAG.array, 1))],
    ['a box of boxes', /levels/, bytesOf(BODY.values, repeated(2_000, TAG.box))],
    ['a view of a view', /levels|no buffer/, bytesOf(BODY.values, repeated(5_000, TAG.view, 1))],
    ['a reference to nothing', /reference/, bytesOf(BODY.values, TAG.reference, varint(0))],
    ['a box that holds itself', /no primitive/, bytesOf(BODY.values, TAG.box, TAG.reference, varint(0))],
    ['a shape before it is defined', /shape/, bytesOf(BODY.values, TAG.object, varint(1))],
    ['the same key twice', /key stands twice/, bytesOf(BODY.values, TAG.object, varint(0), varint(2), 'a', 'a', 0, 0)],
    ['a hole in a map', /hole/, bytesOf(BODY.values, TAG.set, u32(1), TAG.hole)],
    ['another tag', /tag 22/, bytesOf(BODY.values, 22)],
    ['bytes behind the end', /follow its end/, bytesOf(BODY.values, 0, 0)],
    ['an expression that is none', /not valid/, bytesOf(BODY.values, TAG.expression, '(', 0)],
    ['flags that exclude each other', /not valid/, bytesOf(BODY.values, TAG.expression, 'a', 0x60)],
    [
      'expressions that take seconds',
      /too costly/,
      bytesOf(BODY.values, TAG.expression, '\\p{RGI_Emoji}'.repeat(500), 0x40),
    ],
    ['a text that is not UTF-8', /UTF-8/, bytesOf(BODY.values, TAG.string, varint(4 * 1 + 1), 0xff)],
    ['half a character', /half/, bytesOf(BODY.values, TAG.string, varint(4 * 1 + 2), 0xff)],
    [
      'records in 10 levels',
      /levels deep/,
      bytesOf(BODY.column, repeated(10, COLUMN.equalLists, 1), COLUMN.plain, zeros(20)),
    ],
    ['columns that are all mixed', /mixed/, bytesOf(BODY.column, repeated(9, COLUMN.mixed, 0, 1), zeros(9))],
    [
      'rows without bytes',
      /are left/,
      bytesOf(BODY.column, COLUMN.equalLists, varint(2 ** 40), COLUMN.records, varint(0)),
    ],
    ['empty records without padding', /are left/, bytesOf(BODY.column, COLUMN.records, varint(0)), 1e6],
    ['a value of no group', /no group/, bytesOf(BODY.column, COLUMN.mixed, 9, varint(1), COLUMN.plain)],
    [
      'a text longer than its segment',
      /longer than its segment/,
      bytesOf(BODY.column, COLUMN.text, array(Uint16Array.of(9)), varint(1), 'short'),
    ],
    ['lines that are too few', /not as many/, bytesOf(BODY.lines, zeros(20)), 3],
  ])('refuses %s', (_, text, bytes, count) => {
    expect(fault(bytes, count)).toMatch(text)
  })

  it('counts objects, and stops at 4 million', () => {
    const rows = 4_000_001
    expect(fault(bytesOf(BODY.column, COLUMN.records, 0, zeros(rows)), rows)).toMatch(/more than 4000000 objects/)
  })

  it('refuses keys of a map that were chosen to collide, before they take seconds', () => {
    const bigint = (at: number): Piece[] => [TAG.bigint, 0, 10, zeros(8), at % 256, 1 + Math.floor(at / 256)]
    const bigints = Array.from({ length: 2_000 }, (_, at) => bigint(at))
    expect(fault(bytesOf(BODY.values, TAG.set, u32(2_000), ...bigints.flat()))).toMatch(/chosen to collide/)
    const entries = bigints.flatMap((key) => [...key, TAG.null])
    expect(fault(bytesOf(BODY.values, TAG.map, u32(2_000), ...entries))).toMatch(/chosen to collide/)
    expect(fault(bytesOf(BODY.values, TAG.set, u32(1_000), ...bigints.slice(0, 1_000).flat()))).toBe('read')
    const set = new Set(Array.from({ length: 2_000 }, (_, at) => BigInt(at) << 64n))
    expect(() => encodeValues([{ set }])).toThrow('values[0].set holds numbers of which too many collide')
  })

  it('takes keys that do not collide, whatever they are', () => {
    const makes = [
      (at: number) => at,
      (at: number) => at * 65_536,
      (at: number) => at / 8,
      (at: number) => BigInt(at) << 32n,
    ]
    for (const make of makes) {
      expect(fault(encodeValues([new Set(Array.from({ length: 20_000 }, (_, at) => make(at)))]))).toBe('read')
    }
  })

  it('makes no room for elements that are not there', () => {
    const bytes = bytesOf(
      BODY.values,
      TAG.array,
      varint(1_000),
      repeated(1_000, TAG.sparse, 0x80, 0x80, 0x80, 0x0f, 0, 0, 0),
    )
    const before = process.memoryUsage().heapUsed
    const [list] = decodeData(bytes, 1) as unknown[][]
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2e6)
    expect(list?.map((one) => (one as unknown[]).length)).toEqual(new Array(1_000).fill(0xf << 21))
  })

  it('unpacks no more bytes than a body says', () => {
    const bytes = deflateRawSync(new Uint8Array(2 ** 24))
    expect(bytesOfBody({ isDeflated: true, length: 2 ** 24, bytes })).toHaveLength(2 ** 24)
    expect(bytesOfBody({ isDeflated: true, length: 2 ** 24 - 1, bytes })).toBeUndefined()
    expect(bytesOfBody({ isDeflated: true, length: 2 ** 24 + 1, bytes })).toBeUndefined()
    expect(bytesOfBody({ isDeflated: true, length: 0, bytes })).toBeUndefined()
    expect(
      bytesOfBody({ isDeflated: true, length: 2 ** 24, bytes: Buffer.concat([bytes, Buffer.from('x')]) }),
    ).toBeUndefined()
    expect(bytesOfBody({ isDeflated: true, length: 2, bytes: Buffer.from('no') })).toBeUndefined()
  })

  it('unpacks no more bytes than a body says, also on another thread', async () => {
    const bytes = deflateRawSync(new Uint8Array(2 ** 24))
    const unpacked = async (length: number, of: Uint8Array = bytes): Promise<number | undefined> =>
      (await unpackBody({ isDeflated: true, length, bytes: of }))?.length
    expect(unpackBody({ isDeflated: true, length: 2 ** 24, bytes })).toBeInstanceOf(Promise)
    expect(await unpacked(2 ** 24)).toBe(2 ** 24)
    expect(await unpacked(2 ** 24 - 1)).toBeUndefined()
    expect(await unpacked(2 ** 24 + 1)).toBeUndefined()
    expect(await unpacked(2 ** 24, Buffer.concat([bytes, Buffer.from('x')]))).toBeUndefined()
    expect(await unpacked(2 ** 24, bytes.subarray(0, -1))).toBeUndefined()
    expect(await unpacked(2 ** 24, Buffer.from('no'))).toBeUndefined()
    // 256 MiB of zeros, which must not be made: the process would grow by that.
    const bomb = deflateRawSync(new Uint8Array(2 ** 28))
    const before = process.memoryUsage.rss()
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss())
    }, 1)
    expect(await unpacked(2 ** 20, bomb)).toBeUndefined()
    clearInterval(watch)
    expect(Math.max(most, process.memoryUsage.rss()) - before).toBeLessThan(2 ** 26)
  })

  it('leaves prototypes and classes alone', () => {
    const bytes = bytesOf(
      TAG.object,
      0,
      2,
      '__proto__',
      'constructor',
      TAG.object,
      0,
      1,
      'polluted',
      TAG.true,
      TAG.null,
    )
    const value = new ValueReader(new ByteReader(bytes)).read() as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor'])
    expect('polluted' in value).toBe(false)
  })

  it('takes at most 100 bytes for each byte that it reads', async () => {
    const { code, stdout, stderr } = await runProgram('wire-memory.js', [], { execArgv: ['--expose-gc'] })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^at most \d+ bytes/)
  })
})

function fail(): never {
  throw new Error('There is no such message')
}
