/**
 * The exact bytes of some messages. A change of the format changes them. It then needs a new version in `format.ts`, as
 * programs and hosts of different versions meet.
 */
import type { EncodedError } from '#dist/codec/error-codec/types.js'
import { encodeData, encodeValues } from '#dist/wire/data.js'
import { FORMAT } from '#dist/wire/format.js'
import { encodeResult } from '#dist/wire/result.js'
import { encodeUnit } from '#dist/wire/unit.js'
import { linesOf, result, unit } from '../support/wire-messages.js'

const ring: Record<string, unknown> = { a: 1 }
ring.ring = ring
const failure = Object.assign(new RangeError('told', { cause: 1 }), { stack: 'at' })
const error: EncodedError = {
  thrown: { error: 0 },
  errors: [
    {
      kinds: ['TypeError'],
      name: undefined,
      message: 'no',
      stack: 'at x',
      fields: [
        { key: 'code', hidden: true, content: { value: 7 } },
        { key: 'errors', hidden: false, content: { list: [{ error: 0 }] } },
      ],
    },
  ],
}
const bare = Object.create(null) as unknown
const rows = Array.from({ length: 48 }, (_, at) => ({ id: at, t: at % 2 ? 'a' : 'b', d: at === 0 ? null : [at] }))
const lasting = { kind: 'reduce', timeout: 100, eager: true, initial: { value: 0 }, traceparent: 't' } as const

describe(`format ${FORMAT}`, () => {
  it.each<[string, Uint8Array, string]>([
    [
      'primitives',
      encodeValues([undefined, null, false, true, -1, 300, 0.5, 'é', '€', '\ud800', -5n]),
      '0000010203040104d80405000000000000e03f0604e9060de282ac060a00d807010105',
    ],
    [
      'objects',
      encodeValues([ring, ring, { a: 2, ring: [] }, bare, [1, , 2], Object.assign([], { 99: 1, n: 2 })]),
      ['0009000204611072696e6704020800090104020801090104040b000a0900000b0304021004040c64016304020001046e', '0404'].join(
        '',
      ),
    ],
    [
      'others',
      encodeValues([
        new Date(5),
        /a/gi,
        new Map([[1, 2]]),
        new Set([3]),
        new Uint8Array([1, 2]).subarray(1),
        Object(true),
      ]),
      '000d00000000000014400e0461060f01000000040204041101000000040613011202000000000000010201011403',
    ],
    ['an error in a value', encodeValues([failure]), '0015020710746f6c640861740402'],
    [
      'columns',
      encodeValues(rows),
      [
        '010403086964047404640000000000000100000002000000030000000400000005000000060000000700000008000000',
        '090000000a0000000b0000000c0000000d0000000e0000000f0000001000000011000000120000001300000014000000',
        '15000000160000001700000018000000190000001a0000001b0000001c0000001d0000001e0000001f00000020000000',
        '2100000022000000230000002400000025000000260000002700000028000000290000002a0000002b0000002c000000',
        '2d0000002e0000002f000000030001000100010001000100010001000100010001000100010001000100010001000100',
        '010001000100010001000100010001000100010001000100010001000100010001000100010001000100010001000100',
        '010001000100010001000100010001c00162616261626162616261626162616261626162616261626162616261626162',
        '61626162616261626162616261626162610afd0000000000000000000000000000000000000000000000000000000000',
        '000000000000000000000000000000000000010701000000010000000200000003000000040000000500000006000000',
        '0700000008000000090000000a0000000b0000000c0000000d0000000e0000000f000000100000001100000012000000',
        '130000001400000015000000160000001700000018000000190000001a0000001b0000001c0000001d0000001e000000',
        '1f000000200000002100000022000000230000002400000025000000260000002700000028000000290000002a000000',
        '2b0000002c0000002d0000002e0000002f00000000000000000000000000000000000000000000000000000000000000',
        '00000000000000000000000000000000000000',
      ].join(''),
    ],
    [
      'lines',
      encodeData(linesOf('one\ntwo')),
      '0201107574663800010002070314612e6c6f670be807000004000000080000006f6e650a74776f',
    ],
    [
      'a unit',
      encodeUnit({ ...unit, ...lasting, failed: [[1, error]] }),
      [
        '0101000102030405060708090a0b0c0d0e0f03ac0203fc147061727365010000000000005940f0a20402010101000101',
        '24547970654572726f7206086e6f10617420780210636f646500040e01186572726f7273020101000003000400047400',
        '070000000000000000060461060462',
      ].join(''),
    ],
    [
      'a result',
      encodeResult({ ...result, places: [1, 0], counts: Uint32Array.of(2, 0), errors: [[1, error]], fault: error }),
      [
        '0102000102030405060708090a0b0c0d0e0f03ac02000002710100020001010100010124547970654572726f7206086e',
        '6f10617420780210636f646500040e01186572726f727302010100000100010124547970654572726f7206086e6f1061',
        '7420780210636f646500040e01186572726f72730201010000000000000000f83f0210686f7374000500000000000000',
        '0004020404',
      ].join(''),
    ],
  ])('has these bytes for %s', (_, bytes, hex) => {
    expect(Buffer.from(bytes).toString('hex')).toBe(hex)
  })
})
