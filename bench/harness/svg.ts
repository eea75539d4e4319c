/**
 * The results of a run, as a picture for the README. Each goal has a bar, with a mark at the goal. The machine is named
 * below. The picture has its own background, and follows the reader's light or dark colours.
 */
import type { CaseResult, GoalResult, Results } from './results.js'
import { LinearScale, LogScale, type Scale } from './scale.js'

const WIDTH = 880
const MARGIN = 24
/** The positions where the bars begin and end. Labels are to the left, figures to the right. */
const LEFT = 340
const RIGHT = 640
/** The columns to the right: the figure (its end), the goal, the verdict. */
const COLUMNS = [720, 732, 808] as const
const ROW = 26
const BAR = 12
const LINE = 17
/** About this many characters of the caption fit on a line. */
const CAPTION = 125

const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .case { font-weight: 600 } .small { font-size: 11px; fill: #59636e }
  .back { fill: #ffffff } .grid { stroke: #d1d9e0 } .one { stroke: #818b98 } .goal { stroke: #1f2328; stroke-width: 2.5 }
  .range { stroke: #59636e; stroke-width: 1.5 } .reached { fill: #54aeff } .missed { fill: #ff8182 } .says-missed { fill: #cf222e; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .small { fill: #9198a1 } .back { fill: #0d1117 } .grid { stroke: #2f353d } .one { stroke: #9198a1 }
    .goal { stroke: #f0f6fc } .range { stroke: #d1d7e0 } .reached { fill: #1f6feb } .missed { fill: #b62324 } .says-missed { fill: #ff7b72 }
  }`

/** Adds lines of SVG from the top down. */
class Sheet {
  readonly #lines: string[] = []
  y = MARGIN

  add(line: string): void {
    this.#lines.push(line)
  }

  /** Draws `back` first, so that `front` covers it. `back` gets the position where `front` ends. */
  layers(front: () => void, back: () => void): void {
    const place = this.#lines.length
    front()
    const drawn = this.#lines.splice(place)
    back()
    this.#lines.push(...drawn)
  }

  text(x: number, text: string, kind = '', end = false): void {
    const anchor = end ? ' text-anchor="end"' : ''
    this.add(`<text x="${x}" y="${this.y + 4}" class="${kind}"${anchor}>${escaped(text)}</text>`)
  }

  /** A text on a separate line. */
  line(text: string, kind = ''): void {
    this.text(MARGIN, text, kind)
    this.y += LINE
  }

  vertical(x: number, top: number, bottom: number, kind: string): void {
    this.add(`<line x1="${round(x)}" x2="${round(x)}" y1="${round(top)}" y2="${round(bottom)}" class="${kind}"/>`)
  }

  toString(): string {
    const height = this.y + MARGIN / 2
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
      '<title>What the benchmarks of millrace found</title>',
      `<style>${STYLE}\n</style>`,
      `<rect class="back" width="${WIDTH}" height="${height}" rx="6"/>`,
      ...this.#lines,
      '</svg>\n',
    ].join('\n')
  }
}

export function picture(results: Results): string {
  const sheet = new Sheet()
  const { cases } = results
  const ratios = cases.flatMap(({ goals }) => goals.filter(isAdvantage))
  if (ratios.length > 0) {
    const scale = LogScale.over(ratios.flatMap(marks), LEFT, RIGHT)
    sheet.line('How many times as fast as others', 'title')
    axis(sheet, scale)
    const top = sheet.y - LINE / 2
    const bars = (): void => {
      section(sheet, cases, isAdvantage, () => scale)
    }
    const grid = (): void => {
      for (const tick of scale.ticks)
        sheet.vertical(scale.at(tick), top, sheet.y - ROW / 2, tick === 1 ? 'one' : 'grid')
    }
    sheet.layers(bars, grid)
  }
  if (cases.some(({ goals }) => goals.some(isLimit))) {
    sheet.y += LINE
    sheet.line('Limits', 'title')
    section(sheet, cases, isLimit, (goal) => LinearScale.over(marks(goal), LEFT, RIGHT))
  }
  sheet.y += LINE / 2
  sheet.line(
    'Bar: median of the rounds. Thin line: least to most. Upright mark: the goal. Limits have a scale each.',
    'small',
  )
  for (const line of caption(results)) sheet.line(line, 'small')
  return sheet.toString()
}

function isAdvantage({ measure }: GoalResult): boolean {
  return measure === 'advantage'
}

function isLimit(goal: GoalResult): boolean {
  return !isAdvantage(goal)
}

/** All values of a goal that the picture must show. */
function marks({ value, atLeast, atMost }: GoalResult): number[] {
  return [value?.min, value?.max, atLeast, atMost].filter((mark) => mark !== undefined)
}

function axis(sheet: Sheet, scale: LogScale): void {
  for (const tick of scale.ticks) {
    const label = tick < 1 ? `1/${1 / tick}` : tick
    sheet.add(
      `<text x="${round(scale.at(tick))}" y="${sheet.y + 4}" class="small" text-anchor="middle">${label}</text>`,
    )
  }
  sheet.y += LINE
}

function section(
  sheet: Sheet,
  cases: readonly CaseResult[],
  shown: (goal: GoalResult) => boolean,
  scaleOf: (goal: GoalResult) => Scale,
): void {
  for (const { title, goals } of cases) {
    const rows = goals.filter(shown)
    if (rows.length === 0) continue
    sheet.line(title, 'case')
    for (const goal of rows) row(sheet, goal, scaleOf(goal))
  }
}

function row(sheet: Sheet, goal: GoalResult, scale: Scale): void {
  const { value, verdict } = goal
  const limit = goal.atLeast ?? goal.atMost ?? NaN
  sheet.text(MARGIN + 12, label(goal))
  if (value !== undefined) {
    const [from, to] = [scale.at(scale.origin), scale.at(value.median)].toSorted((a, b) => a - b)
    const top = sheet.y - BAR / 2
    sheet.add(
      `<rect x="${round(from ?? 0)}" y="${top}" width="${round((to ?? 0) - (from ?? 0))}" height="${BAR}" class="${verdict}"/>`,
    )
    const ends = `x1="${round(scale.at(value.min))}" x2="${round(scale.at(value.max))}"`
    sheet.add(`<line ${ends} y1="${sheet.y}" y2="${sheet.y}" class="range"/>`)
  }
  sheet.vertical(scale.at(limit), sheet.y - BAR / 2 - 3, sheet.y + BAR / 2 + 3, 'goal')
  const [figureEnd, goalStart, verdictStart] = COLUMNS
  const figure = value === undefined ? '–' : `${value.median.toFixed(goal.unit === '×' ? 2 : 1)} ${goal.unit}`
  sheet.text(figureEnd, figure, '', true)
  sheet.text(goalStart, `goal ${goal.atLeast === undefined ? '≤' : '≥'} ${limit}`, 'small')
  sheet.text(verdictStart, VERDICTS[verdict], verdict === 'reached' ? '' : 'says-missed')
  sheet.y += ROW
}

const VERDICTS = { reached: '✓', missed: '✗ missed', 'not measured': 'not run' }

function label({ ours, against = '', measure }: GoalResult): string {
  switch (measure) {
    case 'advantage':
      return ours === 'millrace' ? `than ${against}` : `${ours} than ${against}`
    case 'cost':
      return `${ours}, in times of a ${against}`
    case 'growth':
      return ours
    case 'figure':
      return ours
  }
}

function caption({ command, date, machine }: Results): string[] {
  const { cores, processor, memory, system, versions, load } = machine
  const words = [
    `${command}, ${date.slice(0, 10)}.`,
    `${cores} cores (${processor}), ${memory}, ${system}, load average ${load.before.toFixed(2)} before.`,
    ...Object.entries(versions).map(([name, version]) => `${name} ${version}`),
  ]
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < CAPTION) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10
}
