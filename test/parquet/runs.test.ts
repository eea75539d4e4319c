/** Runs of numbers that are longer than their page would end the process: they are found before. */
import fc from 'fast-check'
import { checkRuns } from '#dist/parquet/runs.js'

const check = (bytes: number[], width: number, count: number) => {
  checkRuns(Uint8Array.from(bytes), 0, bytes.length, width, count)
}

it('takes runs that fit, and those that are filled up', () => {
  expect(() => {
    check([20, 1], 1, 10)
  }).not.toThrow()
  expect(() => {
    check([3, 0xff], 1, 3)
  }).not.toThrow()
  expect(() => {
    check([4, 1, 3, 0xff, 9, 9], 1, 6)
  }).not.toThrow()
})

it('refuses runs that are longer than their page, or cut', () => {
  expect(() => {
    check([65, ...Array.from({ length: 32 }, () => 1)], 1, 10)
  }).not.toThrow()
  expect(() => {
    check([0xfe, 0xff, 0xff, 0xff, 0x0f, 1], 1, 10)
  }).toThrow('a run has 2147483647 values, and its page 10')
  expect(() => {
    check([0xff, 0xff, 0xff, 0xff, 0x0f], 0, 10)
  }).toThrow('a run has 17179869176 values, and its page 10')
  expect(() => {
    check([0x80], 1, 10)
  }).toThrow('a run of values is cut')
})

it('ends for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(33), fc.nat(100), (bytes, width, count) => {
      try {
        checkRuns(bytes, 0, bytes.length, width, count)
      } catch (error) {
        expect(String(error)).toMatch(/^Error: a run (?:of values is cut|has \d+ values)/)
      }
    }),
  )
})
