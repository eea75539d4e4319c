/** The status line of a terminal: as many figures as have room in it. It draws nothing. */
import { basename } from 'node:path'
import { shareOf, type Figures } from './figures.js'
import { bar, bytes, bytesOf, fit, integer, percent, plural, printable, roughDuration, widthOf } from './text.js'

const GAP = '  '
const BAR_WIDTH = 10
/** A name is left out if it would be shorter than this. */
const MIN_NAME_WIDTH = 8
const MAX_NAME_WIDTH = 40

/** How text stands out; it changes no widths. */
export interface Style {
  readonly strong: (text: string) => string
  readonly alarm: (text: string) => string
}

export const PLAIN: Style = { strong: (text) => text, alarm: (text) => text }
export const COLOURED: Style = {
  strong: (text) => `\x1b[1m${text}\x1b[22m`,
  alarm: (text) => `\x1b[31m${text}\x1b[39m`,
}

interface Field {
  readonly text: string
  /** Fields with the highest rank are left out first. */
  readonly rank: number
  readonly style?: (text: string) => string
}

/** The figures in at most `width` columns. */
export function statusLine(figures: Figures, width: number, { strong, alarm }: Style = PLAIN): string {
  const { file, fileNumber, fileCount, failed, workers, busy, timeLeft } = figures
  const share = shareOf(figures)
  const fields: (Field | undefined)[] = [
    fileCount > 1 ? { text: `${integer(fileNumber)}/${integer(fileCount)}`, rank: 7 } : undefined,
    share === undefined ? undefined : { text: percent(share), rank: 1, style: strong },
    share === undefined ? undefined : { text: `▕${bar(share, BAR_WIDTH)}▏`, rank: 9 },
    optional(amountRead(figures), 2),
    optional(rate(figures), 5),
    figures.items === undefined ? undefined : { text: plural(figures.items, 'item'), rank: 4 },
    failed > 0 ? { text: `${integer(failed)} failed`, rank: 3, style: alarm } : undefined,
    workers > 0 ? { text: `${plural(workers, 'worker')} ${percent(busy)}`, rank: 6 } : undefined,
    timeLeft === undefined
      ? { text: roughDuration(figures.elapsed), rank: 8 }
      : { text: `${roughDuration(timeLeft)} left`, rank: 2 },
  ]
  const shown = withRoom(
    fields.filter((field) => field !== undefined),
    width,
  )
  const text = shown.map((field) => field.style?.(field.text) ?? field.text).join(GAP)
  const room = width - widthOfAll(shown) - GAP.length
  if (file === undefined || room < MIN_NAME_WIDTH) return text
  return `${fit(printable(basename(file)), Math.min(room, MAX_NAME_WIDTH))}${GAP}${text}`
}

function optional(text: string | undefined, rank: number): Field | undefined {
  return text === undefined ? undefined : { text, rank }
}

/** Leaves out fields until the others have room. */
function withRoom(fields: readonly Field[], width: number): Field[] {
  const shown = [...fields]
  while (shown.length > 0 && widthOfAll(shown) > width) {
    const last = Math.max(...shown.map(({ rank }) => rank))
    shown.splice(
      shown.findLastIndex(({ rank }) => rank === last),
      1,
    )
  }
  return shown
}

function widthOfAll(fields: readonly Field[]): number {
  return fields.reduce((sum, { text }) => sum + widthOf(text), 0) + GAP.length * Math.max(0, fields.length - 1)
}

/** One line without colours and bars, for a log. */
export function plainLine(figures: Figures): string {
  const { file, fileNumber, fileCount, failed, busy, workers, timeLeft } = figures
  const share = shareOf(figures)
  const fields = [
    file === undefined
      ? undefined
      : printable(basename(file)) + (fileCount > 1 ? ` (${fileNumber} of ${fileCount})` : ''),
    share === undefined ? undefined : percent(share),
    amountRead(figures),
    rate(figures),
    figures.items === undefined ? undefined : plural(figures.items, 'item'),
    failed > 0 ? `${integer(failed)} failed` : undefined,
    workers > 0 ? `workers busy ${percent(busy)}` : undefined,
    timeLeft === undefined ? undefined : `${roughDuration(timeLeft)} left`,
  ]
  return `${roughDuration(figures.elapsed)}: ${fields.filter((field) => field !== undefined).join(', ')}`
}

const ENDS = { done: 'done in', failed: 'failed after', left: 'stopped after' }

/** The last word on a run. It ends with what bounded the run. */
export function lastLine(figures: Figures, elapsed: string): string {
  const { state, failed, limit, workers, busy, bytesEarlier } = figures
  const end = state === 'waiting' || state === 'running' ? ENDS.left : ENDS[state]
  const fields = [
    figures.items === undefined ? undefined : plural(figures.items, 'item'),
    failed > 0 ? `${integer(failed)} failed` : undefined,
    amountRead(figures),
    rate(figures),
    workers > 0 ? `${plural(workers, 'worker')} busy ${percent(busy)}` : undefined,
    limit === undefined ? undefined : `limited by the ${limit}`,
    bytesEarlier === undefined ? undefined : `resumed after ${bytes(bytesEarlier)}`,
  ]
  const shown = fields.filter((field) => field !== undefined).join(', ')
  return shown === '' ? `${end} ${elapsed}` : `${end} ${elapsed}: ${shown}`
}

/** At the end of the run, what it has read itself. */
function amountRead({ bytesRead, bytesTotal, bytesEarlier = 0, state }: Figures): string | undefined {
  if (bytesRead === undefined) return undefined
  if (state === 'done') return bytes(bytesRead - bytesEarlier)
  return bytesTotal === undefined ? bytes(bytesRead) : bytesOf(bytesRead, bytesTotal)
}

/** In bytes, if the source has them; else in items. */
function rate({ bytesRead, bytesPerSecond, itemsPerSecond }: Figures): string | undefined {
  if (bytesRead !== undefined) return bytesPerSecond === undefined ? undefined : `${bytes(bytesPerSecond)}/s`
  if (itemsPerSecond === undefined) return undefined
  return itemsPerSecond < 10 ? `${itemsPerSecond.toFixed(1)} items/s` : `${integer(itemsPerSecond)} items/s`
}
