/** A report as a picture: figures, and the charts below each other. It needs no script, so any viewer shows it. */
import { chartsOf, type Chart, type Line } from './charts.js'
import { escaped } from './escape.js'
import { numberAs } from './number.js'
import type { RunReport } from './run-report.js'
import { roughDuration } from '../text.js'
import { endOf, figuresOf, titleOf, verdictOf } from './verdict.js'

const WIDTH = 960
const MARGIN = 24
const HEAD_HEIGHT = 132
const CHART_HEIGHT = 132
/** The area of the lines in a chart, from its top. */
const PLOT = { left: MARGIN + 84, right: WIDTH - MARGIN - 84, top: 30, bottom: 104 } as const
/** Where a line of text must end, in characters: about the width of the picture. */
const MAX_TITLE = 100
const MAX_VERDICT = 140
const COLOURS = 2

const STYLE = `
svg { --ground: #fff; --text: #1c2024; --faint: #60646c; --grid: #e4e6e9; --line0: #0a6bc2; --line1: #c2570a; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #16181b; --text: #edeef0; --faint: #a0a4ab; --grid: #2e3237; --line0: #5eb1ff; --line1: #ff9e57; }
}
text { font: 12px system-ui, sans-serif; fill: var(--text); }
.title { font-size: 18px; font-weight: 600; }
.chart { font-size: 13px; font-weight: 600; }
.faint { fill: var(--faint); }
.value { font-size: 18px; font-weight: 600; }
.grid { stroke: var(--grid); }
.line { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.c0 { stroke: var(--line0); } .c1 { stroke: var(--line1); }
.t0 { fill: var(--line0); } .t1 { fill: var(--line1); }
`

export function svgOf(report: RunReport): string {
  const charts = chartsOf(report)
  const height = HEAD_HEIGHT + charts.length * CHART_HEIGHT + MARGIN
  const seconds = Math.max(report.run.duration / 1000, ...report.samples.time)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(`Run of ${titleOf(report)}`)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect width="100%" height="100%" style="fill: var(--ground)"/>`,
    ...head(report),
    ...charts.flatMap((chart, i) => drawn(chart, report.samples.time, seconds, HEAD_HEIGHT + i * CHART_HEIGHT)),
    '</svg>\n',
  ].join('\n')
}

function head(report: RunReport): string[] {
  const figures = figuresOf(report)
  const column = (WIDTH - 2 * MARGIN) / figures.length
  const verdict = verdictOf(report)
  return [
    text(MARGIN, 34, `${cut(titleOf(report), MAX_TITLE)}: ${endOf(report).text}`, 'title'),
    ...figures.flatMap(({ label, value, note = '' }, i) => [
      text(MARGIN + i * column, 60, label, 'faint'),
      text(MARGIN + i * column, 80, value, 'value'),
      text(MARGIN + i * column, 96, note, 'faint'),
    ]),
    ...(verdict === undefined ? [] : [text(MARGIN, 120, cut(verdict, MAX_VERDICT), 'faint')]),
  ]
}

function drawn(chart: Chart, times: readonly number[], seconds: number, top: number): string[] {
  const [bottom, ceiling] = [top + PLOT.bottom, top + PLOT.top]
  const shared = chart.lines.filter(({ isRight }) => isRight !== true)
  const own = chart.lines.filter(({ isRight }) => isRight === true)
  const [left, right] = [scaleOf(chart, shared), scaleOf(chart, own)]
  const x = (at: number): number => PLOT.left + (at / Math.max(seconds, 0.001)) * (PLOT.right - PLOT.left)
  const y = (value: number, scale: Scale): number => bottom - scale.share(value) * (bottom - ceiling)
  return [
    text(MARGIN, top + 16, chart.title, 'chart'),
    ...chart.lines.map(({ label }, i) =>
      text(PLOT.right - (chart.lines.length - 1 - i) * 170, top + 16, label, `t${i % COLOURS}`, 'end'),
    ),
    ...[bottom, ceiling].map((at) => `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${at}" y2="${at}"/>`),
    ...labels(left, shared[0], PLOT.left - 8, 'end', bottom, ceiling),
    ...labels(right, own[0], PLOT.right + 8, 'start', bottom, ceiling),
    text(PLOT.left, bottom + 16, '0', 'faint'),
    text(PLOT.right, bottom + 16, roughDuration(seconds * 1000), 'faint', 'end'),
    ...chart.lines.map((line, i) => {
      const scale = line.isRight === true ? right : left
      return `<path class="line c${i % COLOURS}" d="${pathOf(line, times, x, (value) => y(value, scale))}"/>`
    }),
  ]
}

function labels(
  { low, high }: Scale,
  line: Line | undefined,
  x: number,
  anchor: 'start' | 'end',
  bottom: number,
  top: number,
): string[] {
  if (line === undefined) return []
  return [
    text(x, bottom + 4, numberAs(line.unit, low), 'faint', anchor),
    text(x, top + 4, numberAs(line.unit, high), 'faint', anchor),
  ]
}

interface Scale {
  readonly low: number
  readonly high: number
  /** Where a value is between both, from 0 to 1. */
  share(value: number): number
}

function scaleOf({ isLogarithmic, top }: Chart, lines: readonly Line[]): Scale {
  const values = lines.flatMap(({ values }) =>
    values.filter((value) => value !== null && (value > 0 || !isLogarithmic)),
  )
  // As many as samples: not too many for arguments.
  const high = top ?? Math.max(0, ...(values as number[]))
  if (isLogarithmic === true && values.length > 0) {
    const low = 10 ** Math.floor(Math.log10(Math.min(...(values as number[]))))
    const ceiling = Math.max(10 ** Math.ceil(Math.log10(high)), low * 10)
    const share = (value: number): number => Math.log(Math.max(value, low) / low) / Math.log(ceiling / low)
    return { low, high: ceiling, share }
  }
  return { low: 0, high: high || 1, share: (value) => Math.min(1, value / (high || 1)) }
}

/** A line is interrupted where there is no value. */
function pathOf(
  { values }: Line,
  times: readonly number[],
  x: (time: number) => number,
  y: (value: number) => number,
): string {
  let isDown = false
  return values
    .map((value, i) => {
      const at = times[i]
      const command = isDown ? 'L' : 'M'
      isDown = value !== null && at !== undefined
      return value === null || at === undefined ? '' : `${command}${x(at).toFixed(1)} ${y(value).toFixed(1)}`
    })
    .join('')
}

function text(x: number, y: number, content: string, style: string, anchor: 'start' | 'end' = 'start'): string {
  return `<text x="${x.toFixed(1)}" y="${y}" class="${style}" text-anchor="${anchor}">${escaped(content)}</text>`
}

function cut(content: string, length: number): string {
  const characters = Array.from(content)
  return characters.length <= length ? content : `${characters.slice(0, length - 1).join('')}…`
}
