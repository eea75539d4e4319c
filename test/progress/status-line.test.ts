import type { Figures } from '#dist/progress/figures.js'
import { COLOURED, lastLine, plainLine, statusLine } from '#dist/progress/status-line.js'
import { widthOf } from '#dist/progress/text.js'

const FIGURES: Figures = {
  state: 'running',
  elapsed: 6_600,
  file: '/logs/access.log.3.gz',
  fileNumber: 2,
  fileCount: 14,
  bytesRead: 1.2e9,
  bytesTotal: 2.9e9,
  bytesEarlier: undefined,
  items: 3_120_400,
  itemsTotal: undefined,
  failed: 17,
  workers: 8,
  busy: 0.97,
  limit: 'workers',
  bytesPerSecond: 182e6,
  itemsPerSecond: 473_000,
  timeLeft: 9_300,
}

const NUMBERS: Figures = {
  ...FIGURES,
  file: undefined,
  fileNumber: 0,
  fileCount: 0,
  bytesRead: undefined,
  bytesTotal: undefined,
  bytesPerSecond: undefined,
  items: 30,
  itemsTotal: 120,
  itemsPerSecond: 4.5,
  failed: 0,
  workers: 1,
  timeLeft: 20_000,
}

describe('the status line', () => {
  it('has file, share, bytes, rate, items, failed items, load and time left', () => {
    expect(statusLine(FIGURES, 140)).toBe(
      'access.log.3.gz  2/14  41 %  ▕████▏     ▏  1.20 of 2.90 GB  182 MB/s  3,120,400 items  17 failed  8 workers 97 %  9 s left',
    )
  })

  it('has items and their rate where the source has no bytes', () => {
    expect(statusLine(NUMBERS, 120)).toBe('25 %  ▕██▌       ▏  4.5 items/s  30 items  1 worker 97 %  20 s left')
  })

  it('has the time so far while the time left is unknown', () => {
    const figures = { ...NUMBERS, itemsTotal: undefined, timeLeft: undefined }
    expect(statusLine(figures, 120)).toBe('4.5 items/s  30 items  1 worker 97 %  7 s')
  })

  it('leaves out the less important figures on a narrow terminal, down to the share', () => {
    const at = (width: number): string => statusLine(FIGURES, width)
    expect(at(60)).toBe('41 %  1.20 of 2.90 GB  3,120,400 items  17 failed  9 s left')
    expect(at(40)).toBe('41 %  1.20 of 2.90 GB  9 s left')
    expect(at(6)).toBe('41 %')
    expect(at(3)).toBe('')
    for (let width = 0; width < 160; width++) expect(widthOf(at(width))).toBeLessThanOrEqual(width)
  })

  it('has room for wide names, and shows no control characters', () => {
    const figures = { ...FIGURES, file: '/in/数据数据数据数据数据数据数据\x1b[2J\n.csv' }
    for (let width = 20; width < 180; width++) {
      const line = statusLine(figures, width)
      expect(widthOf(line)).toBeLessThanOrEqual(width)

      expect(line).not.toMatch(/[\x00-\x1f]/)
    }
    expect(statusLine(figures, 180)).toMatch(/^数据.*…?.*csv {2}2\/14/)
  })

  it('has colours that take no room', () => {
    for (const width of [20, 60, 100, 140]) {
      expect(statusLine(FIGURES, width, COLOURED).replace(/\x1b\[\d+m/g, '')).toBe(statusLine(FIGURES, width))
    }
    expect(statusLine(FIGURES, 140, COLOURED)).toContain('\x1b[31m17 failed\x1b[39m')
  })
})

describe('lines for a log', () => {
  it('have the same figures', () => {
    expect(plainLine(FIGURES)).toBe(
      '7 s: access.log.3.gz (2 of 14), 41 %, 1.20 of 2.90 GB, 182 MB/s, 3,120,400 items, 17 failed, workers busy 97 %, 9 s left',
    )
    expect(plainLine(NUMBERS)).toBe('7 s: 25 %, 4.5 items/s, 30 items, workers busy 97 %, 20 s left')
  })

  it('end with what bounded the run', () => {
    const end = { ...FIGURES, bytesRead: 2.9e9, timeLeft: undefined }
    expect(lastLine({ ...end, state: 'done' }, '15.9 s')).toBe(
      'done in 15.9 s: 3,120,400 items, 17 failed, 2.90 GB, 182 MB/s, 8 workers busy 97 %, limited by the workers',
    )
    expect(lastLine({ ...end, bytesEarlier: 0.9e9, state: 'done' }, '3 s')).toMatch(
      /^done in 3 s: .*, 2\.00 GB, .*, resumed after 900 MB$/,
    )
    expect(lastLine({ ...end, state: 'failed' }, '3 s')).toMatch(/^failed after 3 s: .*2\.90 of 2\.90 GB/)
    expect(lastLine({ ...end, state: 'left', limit: undefined }, '3 s')).toMatch(/^stopped after 3 s: .* 97 %$/)
  })
})
