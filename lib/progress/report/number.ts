/** Numbers of a chart as text. The script of the page has the same in its own words. */
import { bytes, duration, integer, percent } from '../text.js'
import type { Unit } from './charts.js'

export function numberAs(unit: Unit, n: number): string {
  switch (unit) {
    case 'bytes':
      return bytes(n)
    case 'bytesPerSecond':
      return `${bytes(n)}/s`
    case 'share':
      return percent(n)
    case 'time':
      return time(n)
    case 'perSecond':
    case 'count':
      return n < 10 && !Number.isInteger(n) ? n.toPrecision(2) : integer(n)
  }
}

/** Milliseconds, with the digits that short times need. */
export function time(milliseconds: number): string {
  if (milliseconds >= 1000) return duration(milliseconds)
  if (milliseconds >= 1) return `${Number(milliseconds.toPrecision(3))} ms`
  return `${Number((milliseconds * 1000).toPrecision(3))} µs`
}
