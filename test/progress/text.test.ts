import {
  bar,
  bytes,
  bytesOf,
  duration,
  fit,
  integer,
  percent,
  printable,
  roughDuration,
  widthOf,
} from '#dist/progress/text.js'

describe('numbers as text', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [2_747_282_505, '2,747,282,505'],
  ])('integer(%d)', (n, text) => {
    expect(integer(n)).toBe(text)
  })

  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1000, '1.00 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [99_949_999, '99.9 MB'],
    [2_747_282_505, '2.75 GB'],
    [3e18, '3000 PB'],
  ])('bytes(%d)', (n, text) => {
    expect(bytes(n)).toBe(text)
  })

  it('names the unit once where it is the same', () => {
    expect([bytesOf(1.2e9, 2.9e9), bytesOf(900_000, 2.9e9), bytesOf(0, 0)]).toEqual([
      '1.20 of 2.90 GB',
      '900 kB of 2.90 GB',
      '0 of 0 bytes',
    ])
  })

  it('says 100 % only of all', () => {
    expect([0, 0.005, 0.41, 0.999, 1].map(percent)).toEqual(['0 %', '0 %', '41 %', '99 %', '100 %'])
  })

  it.each([
    [0, '0.00 s', '0 s'],
    [954, '0.95 s', '1 s'],
    [9_999, '10 s', '10 s'],
    [60_000, '1 min', '1 min'],
    [80_400, '1 min 20 s', '1 min 20 s'],
    [3_600_000, '1 h', '1 h'],
    [29_000_000, '8 h 3 min', '8 h 3 min'],
    [200_000_000, '2 d 7 h', '2 d 7 h'],
  ])('duration(%d)', (milliseconds, exact, rough) => {
    expect([duration(milliseconds), roughDuration(milliseconds)]).toEqual([exact, rough])
  })

  it('draws bars of eighths, of one width', () => {
    expect(bar(0, 4)).toBe('    ')
    expect(bar(1, 4)).toBe('████')
    expect(bar(0.375, 4)).toBe('█▌  ')
    expect(bar(2, 4)).toBe('████')
    for (let share = 0; share <= 1; share += 0.01) expect(bar(share, 7)).toHaveLength(7)
  })
})

describe('names from outside', () => {
  it('show control characters, and those that reorder text, as escapes', () => {
    expect(printable('a\x1b[2Jb\nc\u202ed\u2028e\ud800f')).toBe(String.raw`a\x1b[2Jb\x0ac\u{202e}d\u{2028}e\u{d800}f`)
    expect(printable('données 数据.csv')).toBe('données 数据.csv')
  })

  it('take one column for each character, two if they are wide, none if they combine', () => {
    expect(['abc', 'é', 'e\u0301', '数据', 'ｱ', '한글', '🚀', '…█'].map(widthOf)).toEqual([3, 1, 1, 4, 1, 4, 2, 2])
  })

  it('are cut in the middle, between characters as a reader sees them', () => {
    expect(fit('access.log', 10)).toBe('access.log')
    expect(fit('access-2026-11-29.log', 11)).toBe('acces…9.log')
    expect(fit('abc', 0)).toBe('')
    for (const text of ['数据数据数据数据.csv', 'e\u0301'.repeat(20), '🚀🚀🚀🚀', 'plain-name.csv']) {
      for (let width = 0; width < 20; width++) expect(widthOf(fit(text, width))).toBeLessThanOrEqual(width)
    }
    expect(fit('e\u0301'.repeat(20), 5)).toBe(`${'e\u0301'.repeat(2)}…${'e\u0301'.repeat(2)}`)
  })
})
