/**
 * The access log that is read. It is made here, once, and kept in the temporary folder. Its maker also knows the right
 * answer, so contenders are not compared with each other.
 */
import { createWriteStream } from 'node:fs'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { mulberry32 } from './random.js'
import { add, none, type Totals } from './totals.js'

/** A log, and the right answer. */
export interface Log {
  readonly path: string
  /** The size of the file in bytes. */
  readonly size: number
  readonly lines: number
  /** The answer that every contender must find. */
  readonly totals: Totals
}

/** Change this number whenever the log changes. */
const VERSION = 1
const START = Date.UTC(2024, 9, 7)
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const BLOCK = 256 * 1024
const VISITORS = 40_000
const ARTICLES = 6_000
/** One line of this many is not a log line. */
const MALFORMED = 10_007

const USERS = ['-', '-', '-', '-', '-', '-', '-', 'alice', 'bob', 'carol.m', 'deploy']
const HOSTS = ['https://www.example.com', 'https://www.example.org', 'https://search.example.net']
const SECTIONS = ['presentations', 'articles', 'images', 'downloads/releases', 'projects', 'blog/tags', 'files']
const WORDS = [
  'stream',
  'worker',
  'kernel-notes',
  'summer',
  'release',
  'index',
  'garden',
  'wheel',
  'river',
  'monitoring',
]
const ENDINGS = ['', '', '.html', '.png', '.css', '.js', '.tar.gz', '/']
const STATUSES = [200, 200, 200, 200, 200, 200, 200, 200, 200, 206, 301, 302, 304, 304, 403, 404, 404, 500, 503]
const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36 Edg/129.0.2792.79',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/129.0.0.0 Safari/537.36',
  'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
  'curl/8.9.1',
]

/** The log of this many lines. It is made if it does not exist. */
export async function accessLog(lines: number): Promise<Log> {
  const path = join(tmpdir(), `millrace-bench-access-${lines}-v${VERSION}.log`)
  const known = `${path}.json`
  // The note is written last, so that half a log never has one.
  const kept = await readFile(known, 'utf8').then(
    (text) => JSON.parse(text) as Log,
    () => undefined,
  )
  const found = await stat(path).catch(() => undefined)
  if (kept !== undefined && found?.size === kept.size) return kept
  const made = await make(path, lines)
  await writeFile(known, JSON.stringify(made))
  return made
}

async function make(path: string, lines: number): Promise<Log> {
  const partial = `${path}.part`
  const totals = none()
  try {
    await pipeline(blocks(lines, totals), createWriteStream(partial))
    const { size } = await stat(partial)
    await rename(partial, path)
    return { path, size, lines, totals }
  } finally {
    await rm(partial, { force: true })
  }
}

function* blocks(lines: number, totals: Totals): Generator<Buffer> {
  let block = ''
  for (const line of logLines(lines, totals)) {
    block += line
    if (block.length < BLOCK) continue
    // It is all ASCII.
    yield Buffer.from(block, 'latin1')
    block = ''
  }
  yield Buffer.from(block, 'latin1')
}

function* logLines(lines: number, totals: Totals): Generator<string> {
  const random = mulberry32(20_241_007)
  const below = (n: number): number => Math.floor(n * random())
  /** A number below `n`. Low numbers come far more often. */
  const skewed = (n: number): number => Math.floor(n * random() * random() * random())
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]
  const path = (): string => {
    const article = skewed(ARTICLES)
    const word = WORDS[article % WORDS.length]
    const section = SECTIONS[article % SECTIONS.length]
    const query = below(12) === 0 ? `?page=${skewed(40) + 1}&q=${pick(WORDS)}` : ''
    return `/${section}/${word}-${2_009 + (article % 16)}/${pick(WORDS)}-${article}${pick(ENDINGS)}${query}`
  }
  let time = START
  for (let n = 1; n <= lines; n++) {
    time += below(1_200)
    const visitor = skewed(VISITORS)
    const ip = `${(visitor % 190) + 11}.${(visitor * 7) % 256}.${(visitor * 31) % 256}.${(visitor % 254) + 1}`
    const status = pick(STATUSES)
    const bytes = status === 304 ? 0 : 150 + skewed(400_000)
    const method = below(40) === 0 ? 'POST' : below(60) === 0 ? 'HEAD' : 'GET'
    const referrer = below(5) < 4 ? '-' : `${pick(HOSTS)}${below(2) === 0 ? '/' : path()}`
    const request = `"${method} ${path()} HTTP/1.1" ${status} ${bytes === 0 ? '-' : bytes}`
    const line = `${ip} - ${pick(USERS)} [${clock(time)} +0000] ${request} "${referrer}" "${AGENTS[skewed(AGENTS.length)]}"\n`
    if (n % MALFORMED === 0) {
      yield `${line.slice(0, 20)}\n`
      add(totals, { status: 0, bytes: 0 })
    } else {
      yield line
      add(totals, { status, bytes })
    }
  }
}

/** As a web server writes it: 07/Oct/2024:13:55:36. */
function clock(time: number): string {
  const date = new Date(time)
  const [year, month, day] = [date.getUTCFullYear(), MONTHS[date.getUTCMonth()], date.getUTCDate()]
  return `${two(day)}/${month}/${year}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
}

function two(n: number): string {
  return n < 10 ? `0${n}` : `${n}`
}
