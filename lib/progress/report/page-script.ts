/** The script of the page, which draws the charts by uPlot from the data in the page. It runs in a browser. */
export const PAGE_SCRIPT = `
'use strict'
const { charts, times, started } = JSON.parse(document.getElementById('data').textContent)
// From ten minutes on the time of day says more than the time since the start.
const isLong = times.at(-1) - times[0] >= 600
const xs = isLong ? times.map((seconds) => started + seconds) : times
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const significant = (n, digits) => String(Number(n.toPrecision(digits)))
const grouped = (n) => n.toLocaleString('en-US', { maximumFractionDigits: n < 10 ? 1 : 0 })

function scaled(n, units) {
  let i = 0
  for (; Math.abs(n) >= 999.5 && i < units.length - 1; i++) n /= 1000
  return significant(n, 3) + ' ' + units[i]
}
const bytes = (n) => scaled(n, ['bytes', 'kB', 'MB', 'GB', 'TB'])
function duration(s) {
  const whole = Math.round(s)
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']]
  const first = parts.findIndex(([size]) => whole >= size)
  if (first === -1 || whole < 60) return significant(s, 3) + ' s'
  let rest = whole
  const shown = []
  for (const [size, unit] of parts.slice(first, first + 2)) {
    if (rest >= size) shown.push(Math.floor(rest / size) + ' ' + unit)
    rest %= size
  }
  return shown.join(' ')
}
const formats = {
  count: grouped,
  perSecond: grouped,
  bytes,
  bytesPerSecond: (n) => bytes(n) + '/s',
  share: (n) => Math.round(n * 100) + ' %',
  time: (ms) => (ms >= 1000 ? duration(ms / 1000) : ms >= 1 ? significant(ms, 3) + ' ms' : significant(ms * 1000, 3) + ' µs'),
}
const two = (n) => String(n).padStart(2, '0')
function clock(seconds, withSeconds) {
  const date = new Date(seconds * 1000)
  return two(date.getHours()) + ':' + two(date.getMinutes()) + (withSeconds ? ':' + two(date.getSeconds()) : '')
}

let plots = []
function draw() {
  for (const plot of plots) plot.destroy()
  const [text, grid] = [colour('--faint'), colour('--grid')]
  plots = charts.map((chart, i) => {
    const element = document.getElementById('chart' + i)
    const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: '12px system-ui' }
    const range = (u, min, max) => {
      if (chart.isLogarithmic) return uPlot.rangeLog(min || 0.001, max || 1, 10, true)
      return [0, chart.top || (max > 0 ? max * 1.08 : 1)]
    }
    const scale = { range, distr: chart.isLogarithmic ? 3 : 1 }
    const right = chart.lines.find((line) => line.isRight)
    const valuesOf = (line) => (u, splits) => splits.map((n) => (n === null ? '' : formats[line.unit](n)))
    return new uPlot(
      {
        width: element.clientWidth,
        height: 190,
        cursor: { sync: { key: 'run' }, drag: { x: true, y: false }, points: { size: 6 } },
        legend: { markers: { width: 0, fill: (u, s) => u.series[s].stroke() } },
        scales: { x: { time: false }, y: scale, right: scale },
        axes: [
          {
            ...axis,
            space: 64,
            ...(isLong && { incrs: [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400] }),
            values: (u, splits) => splits.map((s) => (isLong ? clock(s, false) : duration(s))),
          },
          { ...axis, scale: 'y', size: 84, values: valuesOf(chart.lines[0]) },
          ...(right ? [{ ...axis, scale: 'right', side: 1, size: 84, grid: { show: false }, values: valuesOf(right) }] : []),
        ],
        series: [
          {
            label: 'at',
            value: (u, s) => (s === null || s === undefined ? '–' : isLong ? clock(s, true) + ' (' + duration(s - started) + ')' : duration(s)),
          },
          ...chart.lines.map((line, n) => ({
            label: line.label,
            scale: line.isRight ? 'right' : 'y',
            stroke: colour('--line' + n),
            width: 1.5,
            ...(n === 0 && !chart.isLogarithmic && { fill: colour('--fill' + n) }),
            points: { show: times.length < 2 },
            spanGaps: false,
            value: (u, n) => (n === null || n === undefined ? '–' : formats[line.unit](n)),
          })),
        ],
      },
      [xs, ...chart.lines.map(({ values }) => values)],
      element,
    )
  })
}

draw()
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
let width = innerWidth
addEventListener('resize', () => {
  if (width === innerWidth) return
  width = innerWidth
  for (const plot of plots) plot.setSize({ width: plot.root.parentNode.clientWidth, height: 190 })
})
`
