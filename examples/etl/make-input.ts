/**
 * Makes the inputs of the three programs, of any size and always the same bytes: `make-input.js NAME PATH [BYTES]`. They
 * have the faults that real files have.
 */
import { write } from 'millrace'
import { makeLog, mulberry32 } from '../access-log/make-log.js'

const SITES = ['attic', 'cellar', 'garage', 'garden', 'hall', 'kitchen', 'office', 'shed']
const SENSORS = ['a', 'b', 'c']
const NAMES = [
  'Ada Lovelace',
  '  Alan   Turing ',
  '"Hopper, Grace"',
  '"Linus ""Finn"" Torvalds"',
  'Zoë Müller',
  'Ōe Kenzaburō',
]
const NOTES = ['', 'regular', '"wrote a letter:\nplease call, soon"', '"said ""no"""', 'moved; new address unknown']
const BLOCK = 64 * 1024

const MAKERS: Readonly<Record<string, (path: string, size: number) => Promise<unknown>>> = {
  errors: makeLog,
  clean: makeCustomers,
  sensors: makeSensors,
}

async function makeCustomers(path: string, size: number): Promise<void> {
  await write(path, { format: 'text' })(upTo(size, customers()))
}

/** A folder with a file for each site. */
async function makeSensors(folder: string, size: number): Promise<void> {
  for (const [index, site] of SITES.entries()) {
    await write(`${folder}/${site}.ndjson`, { format: 'text' })(upTo(size / SITES.length, readings(index)))
  }
}

function* customers(): Generator<string, never> {
  const { below, pick } = randomNumbers(1)
  yield 'id,name,email,country,born,balance,note'
  for (let id = 1; ; id++) {
    const email = below(400) === 0 ? 'unknown' : `Customer.${id}@example${below(9)}.org`
    const born = below(500) === 0 ? '31.12.1969' : `${1930 + below(80)}-0${1 + below(9)}-${10 + below(18)}`
    const balance = below(300) === 0 ? 'n/a' : `"${below(9_000)},${100 + below(900)}.${10 + below(90)}"`
    const note = below(1_000) === 0 ? 'one, too many' : pick(NOTES)
    yield `${id},${pick(NAMES)},${email},${pick(['DE', 'FR', 'JP', 'PL'])},${born},${below(7) === 0 ? '' : balance},${note}`
  }
}

/** Each minute, one of the sensors. */
function* readings(site: number): Generator<string, never> {
  const { below } = randomNumbers(site)
  for (let time = Date.UTC(2026, 0, 1); ; time += 60_000) {
    const celsius = below(1_000) === 0 ? null : (15 + site + below(1_000) / 100).toFixed(2)
    const sensor = SENSORS[below(SENSORS.length)] ?? ''
    const line = `{"time":"${new Date(time).toISOString()}","sensor":"${sensor}","celsius":${celsius}}`
    yield below(10_000) === 0 ? line.slice(0, 40) : line
  }
}

/** Lines in blocks, until there are `size` bytes of them, and at most one line more. */
function* upTo(size: number, lines: Iterable<string>): Generator<string> {
  let block: string[] = []
  let bytes = 0
  let written = 0
  for (const line of lines) {
    block.push(line)
    bytes += Buffer.byteLength(line) + 1
    const isEnough = written + bytes >= size
    if (bytes < BLOCK && !isEnough) continue
    yield block.join('\n')
    if (isEnough) return
    written += bytes
    block = []
    bytes = 0
  }
}

function randomNumbers(seed: number): { below: (n: number) => number; pick: (list: readonly string[]) => string } {
  const random = mulberry32(seed)
  const below = (n: number): number => Math.floor(n * random())
  return { below, pick: (list) => list[below(list.length)] ?? '' }
}

const [, , name = '', path = '', bytes = '1000000'] = process.argv
const make = MAKERS[name]
if (make === undefined || path === '') throw new Error('Usage: make-input.js errors|clean|sensors PATH [BYTES]')
await make(path, Number(bytes))
