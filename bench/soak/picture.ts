/** Memory over time, as a picture. */

export interface Sample {
  readonly minutes: number
  /** All memory of the process, in units of 10⁶ bytes. */
  readonly megabytes: number
}

const WIDTH = 880
const HEIGHT = 260
const [LEFT, RIGHT, TOP, BOTTOM] = [56, WIDTH - 24, 40, HEIGHT - 40]

const STYLE = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #59636e }
  .back { fill: #ffffff } .grid { stroke: #d1d9e0 } .line { fill: none; stroke: #0969da; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 } .back { fill: #0d1117 } .grid { stroke: #2f353d } .line { stroke: #4493f8 }
  }`

export function memoryPicture(samples: readonly Sample[]): string {
  const most = 100 * Math.ceil(Math.max(...samples.map(({ megabytes }) => megabytes)) / 100)
  const end = Math.max(...samples.map(({ minutes }) => minutes))
  const x = (minutes: number): string => (LEFT + (minutes / end) * (RIGHT - LEFT)).toFixed(1)
  const y = (megabytes: number): string => (BOTTOM - (megabytes / most) * (BOTTOM - TOP)).toFixed(1)
  const grid = Array.from({ length: most / 100 + 1 }, (_, i) => 100 * i).flatMap((level) => [
    `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${y(level)}" y2="${y(level)}"/>`,
    `<text x="${LEFT - 8}" y="${Number(y(level)) + 4}" text-anchor="end">${level}</text>`,
  ])
  const points = samples.map(({ minutes, megabytes }) => `${x(minutes)},${y(megabytes)}`).join(' ')
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    '<title>Memory of the soak over time</title>',
    `<style>${STYLE}\n</style>`,
    `<rect class="back" width="${WIDTH}" height="${HEIGHT}" rx="6"/>`,
    `<text x="${LEFT}" y="24">MB in memory, over ${end.toFixed(0)} minutes</text>`,
    ...grid,
    `<polyline class="line" points="${points}"/>`,
    '</svg>\n',
  ].join('\n')
}
