import { compiled } from './run.js'

interface Summary {
  add(record: object, file: string, line: number): void
}
interface Text {
  bar: (part: number, total: number, width: number) => string
  bytes: (n: number) => string
  fit: (text: string, width: number) => string
  fitEnds: (text: string, width: number) => string
  printable: (text: string) => string
}

const { Summary } = (await import(compiled('access-log/summary.js'))) as { Summary: new () => Summary }
const { report } = (await import(compiled('access-log/report.js'))) as {
  report: (summary: Summary, files: string[], layout: object) => string
}
const { bar, bytes, fit, fitEnds, printable } = (await import(compiled('access-log/text.js'))) as Text

const layout = { width: 60, heading: (text: string) => `<${text}>` }

describe('report()', () => {
  it('leaves out counts of 0', () => {
    expect(report(new Summary(), ['empty.log'], layout).split('\n')).toEqual([
      '<empty.log>',
      '  Lines      0',
      '  Requests   0',
      '  Malformed  0',
      '  Bytes      0  0 bytes',
      '  Errors     0    0.00%',
      '    4xx      0    0.00%',
      '    5xx      0    0.00%',
      '',
    ])
  })

  it('keeps every line within the width, and what a log can do to a terminal out of it', () => {
    const summary = new Summary()
    const nasty = `\x1b[2J/\u202e${'long/'.repeat(100)}`
    summary.add({ address: nasty, hour: 3, path: nasty, status: 200, bytes: 1e15 }, 'a', 1)
    summary.add({ malformed: nasty, status: undefined }, 'a', 2)
    const text = report(summary, ['a', nasty], layout)
    expect(text).toContain(String.raw`\x1b[2J/\u{202e}long/`)
    expect(text).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u)
    // The heading adds the two characters of this layout.
    expect(Math.max(...text.split('\n').map((line) => line.replace(/^<|>$/g, '').length))).toBe(60)
  })
})

describe('text', () => {
  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1_000, '1.00 kB'],
    [9_999, '10.0 kB'],
    [99_960, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [2_747_282_505, '2.75 GB'],
  ])('bytes(%d) is %s', (n, text) => {
    expect(bytes(n)).toBe(text)
  })

  it.each([
    [0, 8, ''],
    [1, 1_000, '▏'],
    [4, 8, '▌'],
    [8, 8, '█'],
  ])('bar(%d of %d) in one character is %j', (part, total, text) => {
    expect(bar(part, total, 1)).toBe(text)
  })

  it('bar() fills the width when it is all', () => {
    expect(bar(7, 7, 20)).toBe('█'.repeat(20))
  })

  it('fit() and fitEnds() count characters, not code units', () => {
    expect(fit('😀😀😀', 3)).toBe('😀😀😀')
    expect(fit('😀😀😀', 2)).toBe('😀…')
    expect(fitEnds('abc😀', 4)).toBe('abc😀')
    expect(fitEnds('abcdefg', 5)).toBe('ab…fg')
    expect(fitEnds('abcdefg', 4)).toBe('ab…g')
  })

  it('printable() escapes control characters and line ends', () => {
    expect(printable('a\tb\x7f\x9b\r\u2028é')).toBe(String.raw`a\x09b\x7f\x9b\x0d\u{2028}é`)
  })
})
