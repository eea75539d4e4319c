/** Makes an access log to run the demo on: the same bytes every time, with the skew that real traffic has. */
import { createWriteStream, rmSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const START = Date.UTC(2024, 9, 7)
/** How busy each hour of the day is. */
const TRAFFIC = [9, 6, 4, 3, 3, 4, 8, 16, 28, 38, 42, 41, 36, 40, 43, 42, 39, 36, 34, 37, 40, 36, 26, 16]
/** Milliseconds between two requests, times how busy the hour is: 200 MB then make about a week. */
const PACE = 15_760
const ADDRESSES = 20_000
const ARTICLES = 5_000
const BLOCK = 256 * 1024
/** One line in this many is cut off, as by a full disk. */
const CUT_OFF = 150_001

const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
  'curl/8.9.1',
  String.raw`feeds/2.4 (\"nightly\" build)`,
]
const REFERRERS = ['-', 'https://www.example.com/', 'https://www.google.com/', 'https://news.example.org/item?id=41']
const ASSETS = ['/style.css', '/app.js', '/favicon.ico', '/images/logo.png', '/fonts/text.woff2', '/images/header.jpg']
const PAGES = ['/', '/feed.xml', '/about', '/archive', '/search', '/api/session', '/robots.txt', '/contact']
const PROBES = ['/wp-login.php', '/.env', '/admin/', '/xmlrpc.php', '/old/index.html']

/** Writes a log of `size` bytes, and at most one line more, to `path`, which appears when it is complete. */
export async function makeLog(path: string, size: number): Promise<void> {
  const partial = `${path}.${process.pid}.part`
  // Ctrl-C too must not leave half a log in the temporary folder.
  const interrupted = (): void => {
    rmSync(partial, { force: true })
    process.exit(130)
  }
  process.once('SIGINT', interrupted)
  try {
    await pipeline(blocks(size), createWriteStream(partial, { flags: 'wx' }))
    await rename(partial, path)
  } finally {
    process.off('SIGINT', interrupted)
    await rm(partial, { force: true })
  }
}

function* blocks(size: number): Generator<Buffer> {
  let written = 0
  let block = ''
  for (const line of logLines()) {
    block += line
    // All of it is ASCII, so that characters are bytes.
    const enough = written + block.length >= size
    if (block.length < BLOCK && !enough) continue
    yield Buffer.from(block, 'latin1')
    if (enough) return
    written += block.length
    block = ''
  }
}

function* logLines(): Generator<string, never> {
  const random = mulberry32(20_241_007)
  const below = (n: number): number => Math.floor(n * random())
  /** A number below `n`, low ones far more often. Products only: they are the same on every machine, unlike `Math.pow`. */
  const skewed = (n: number): number => Math.floor(n * random() * random() * random() * random())
  const pick = (list: readonly string[]): string => list[Math.floor(list.length * random() * random())] ?? ''

  let time = START
  for (let n = 1; ; n++) {
    const date = new Date(time)
    const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()] ?? ''}/${date.getUTCFullYear()}`
    const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
    time += (PACE * 2 * random()) / (TRAFFIC[date.getUTCHours()] ?? 1)

    const visitor = skewed(ADDRESSES)
    const address = `${(visitor % 190) + 11}.${(visitor * 7) % 256}.${(visitor * 31) % 256}.${(visitor % 254) + 1}`
    const kind = below(1000)
    let path: string
    let status = 200
    let bytes = 0
    if (kind < 450) {
      path = pick(ASSETS)
      bytes = 2_000 + below(60_000)
      if (below(5) === 0) status = 304
    } else if (kind < 750) {
      path = `/articles/${skewed(ARTICLES) + 1}`
      bytes = 8_000 + below(40_000)
      if (below(60) === 0) status = 301
    } else if (kind < 960) {
      path = pick(PAGES)
      if (path === '/search') path += `?q=${below(ARTICLES)}&page=${skewed(20) + 1}`
      bytes = 500 + below(20_000)
      if (below(250) === 0) status = below(3) === 0 ? 503 : 500
    } else {
      path = pick(PROBES)
      status = below(6) === 0 ? 403 : 404
      bytes = 150 + below(400)
    }
    const method = path === '/api/session' ? 'POST' : 'GET'
    const answer = status === 304 ? '304 -' : `${status} ${bytes}`
    const line = `${address} - - [${day}:${clock} +0000] "${method} ${path} HTTP/1.1" ${answer} "${pick(REFERRERS)}" "${pick(AGENTS)}"`
    yield `${n % CUT_OFF === 0 ? line.slice(0, below(line.length)) : line}\n`
  }
}

function two(n: number): string {
  return n < 10 ? `0${n}` : `${n}`
}

/** A small generator of random numbers with a seed, from 0 to below 1: Tommy Ettinger's Mulberry32, in the public domain. */
export function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
