/** The page of a report in a real browser. It needs Chromium, and so runs only in `npm run verify`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pageOf } from '#dist/progress/report/page.js'
import { svgOf } from '#dist/progress/report/svg.js'
import { HOSTILE, NIGHT } from '../progress/report/sample-report.js'
import { Browser, type Page } from '../support/chromium.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-page-'))
let browser: Browser
beforeAll(() => {
  browser = new Browser()
})
afterAll(async () => {
  await browser.close()
  rmSync(folder, { recursive: true })
})

function url(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return pathToFileURL(path).href
}

/** By canvas, how many of its pixels are drawn, and how many colours they have. */
const CANVASES = `Array.from(document.querySelectorAll('canvas'), (canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const colours = new Set()
  let drawn = 0
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] === 0) continue
    drawn++
    colours.add(data[i] + ',' + data[i + 1] + ',' + data[i + 2])
  }
  return { width: canvas.width, height: canvas.height, drawn, colours: colours.size }
})`

interface Canvas {
  readonly width: number
  readonly height: number
  readonly drawn: number
  readonly colours: number
}

async function expectDrawn(page: Page, charts: number): Promise<void> {
  const canvases = await page.evaluate<Canvas[]>(CANVASES)
  expect(canvases).toHaveLength(charts)
  for (const { width, height, drawn, colours } of canvases) {
    expect(width).toBeGreaterThan(300)
    expect(drawn).toBeGreaterThan((width * height) / 200)
    expect(colours).toBeGreaterThan(3)
  }
}

describe('the page of a report', () => {
  const address = url('night.html', pageOf(NIGHT))

  it.each([{ isDark: false }, { isDark: true }, { width: 420, height: 900 }])('draws its charts: %p', async (how) => {
    const page = await browser.open(address, how)
    await expectDrawn(page, 6)
    expect(page.complaints).toEqual([])
    const { scrollWidth, innerWidth } = await page.evaluate<{ scrollWidth: number; innerWidth: number }>(
      '({ scrollWidth: document.documentElement.scrollWidth, innerWidth })',
    )
    expect(scrollWidth).toBeLessThanOrEqual(innerWidth)
  })

  it('loads nothing, and runs no script of a name', async () => {
    const page = await browser.open(address)
    expect(page.requests).toEqual([address])
    expect(await page.evaluate('window.escaped')).toBeUndefined()
    expect(await page.evaluate('document.images.length + document.links.length')).toBe(0)
    expect(await page.evaluate('document.scripts.length')).toBe(3)
    const text = await page.evaluate<string>('document.body.innerText')
    expect(text).toContain('</script><script>window.escaped = 1</script>')
    expect(text).toContain(HOSTILE.slice(0, 40))
  })

  it('would not load or run anything that had escaped', async () => {
    const hostile = pageOf(NIGHT).replace(
      '<h1>',
      `<img src="http://elsewhere.test/x.png"><script>window.escaped = 3</script><h1>`,
    )
    const page = await browser.open(url('hostile.html', hostile))
    expect(page.complaints.length).toBeGreaterThanOrEqual(2)
    const elsewhere = page.requests.filter((request) => request.startsWith('http'))
    expect(page.blocked).toEqual(elsewhere)
    expect(await page.evaluate('window.escaped')).toBeUndefined()
  })

  it('shows the figures of the moment under the pointer, in all charts at once', async () => {
    const page = await browser.open(address)
    const { x, y } = await page.evaluate<{ x: number; y: number }>(
      `(({ left, top, width, height }) => ({ x: left + width / 2, y: top + height / 2 }))(document.querySelector('.u-over').getBoundingClientRect())`,
    )
    await page.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y })
    const legends = await page.evaluate<string[]>(
      `Array.from(document.querySelectorAll('.u-legend'), (legend) => legend.innerText)`,
    )
    expect(legends).toHaveLength(6)
    for (const legend of legends) expect(legend).toMatch(/\d\d:\d\d:\d\d \(.* h/)
    expect(legends[0]).toMatch(/items\/s.*[\d,]+/s)
  })

  it('draws a short run, too', async () => {
    const samples = Object.fromEntries(
      Object.entries(NIGHT.samples).map(([name, values]: [string, readonly unknown[]]) => [name, values.slice(0, 3)]),
    ) as unknown as (typeof NIGHT)['samples']
    const short = { ...NIGHT, run: { ...NIGHT.run, duration: 300 }, samples: { ...samples, time: [0.1, 0.2, 0.3] } }
    const page = await browser.open(url('short.html', pageOf(short)))
    await expectDrawn(page, 6)
    expect(page.complaints).toEqual([])
  })
})

it('a browser shows the picture of a report, and loads nothing for it', async () => {
  const address = url('night.svg', svgOf(NIGHT))
  const page = await browser.open(address)
  expect(page.requests).toEqual([address])
  expect(await page.evaluate('document.querySelectorAll("path.line").length')).toBe(9)
  expect(await page.evaluate('document.querySelector("parsererror") === null')).toBe(true)
  expect(page.complaints).toEqual([])
})
