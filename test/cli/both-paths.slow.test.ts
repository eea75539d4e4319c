/**
 * A small input gives the same on the main thread and in workers: random inputs, stages, formats and faults. With -j, all
 * inputs go to workers.
 */
import { CommandFolder } from '../support/command-line.js'
import { randomOf } from '../support/random.js'

const folder = new CommandFolder()
const CASES = 40

interface Input {
  readonly name: string
  readonly text: string
  readonly args?: readonly string[]
  /** Expressions for its items. */
  readonly maps: readonly string[]
}

const ROWS = ['({ n: d.a })', 'd.a', '[d.a, d.b]', 'd.b.length', 'd.a > 3 ? undefined : d', 'null', 'await d.a']
const INPUTS: readonly Input[] = [
  {
    name: 'in.txt',
    text: 'one\ntwo words\n\n4\n{"a":1}\nlast',
    maps: ['d.length', 'JSON.parse(d)', 'd.split(" ")', '`${i}:${record}:${file} ${d}`', '({ d, i })', 'd.at(1).at(0)'],
  },
  { name: 'in.csv', text: 'a,b\n1,x\n2,"y\nz"\n3\n4,"w"v\n5,u\n', maps: ROWS },
  { name: 'in.ndjson', text: '{"a":1,"b":"x"}\n{"a":2}\n{"a":\n\n{"a":4,"b":null}\n[5]\n', maps: ROWS },
  { name: 'in.json', text: '[{"a":1,"b":"x"},{"a":2,"b":[]},7,null,{"a":5,"b":"y"}]', maps: ROWS },
  { name: 'in.tsv', text: 'a\tb\n1\tx\n2\ty\n', args: ['--columns', 'b,a'], maps: ROWS },
]
const ANY = [
  'd',
  '1n',
  '() => d',
  'd.a.b.c',
  'undefined',
  'Symbol("s")',
  '({ toJSON() { throw new Error("no JSON") } })',
]
const WHERE = ['true', 'd', 'd.a > 1', 'i % 2 === 0', 'd.b.length > 0', 'await false']
const EACH = ['[d, d]', 'Object.entries(d)', 'd', 'd?.b ?? []', '[]', '[undefined, 1, "text"]']
const ENDS: readonly (readonly string[])[] = [
  [],
  ['--skip-errors'],
  ['--skip-errors', '--max-errors', '1'],
  ['--skip-errors', '--max-errors', '30%'],
  ['--head', '2'],
  ['--head', '0'],
  ['--head', '2', '--skip-errors'],
  ['--head', '1', '--skip-errors', '--max-errors', '1'],
  ['--skip', '1'],
  ['-q'],
]
const FORMATS = ['text', 'ndjson', 'csv', 'tsv', 'json']

beforeAll(() => {
  for (const { name, text } of INPUTS) folder.write(name, text)
})

function commandOf(seed: number): readonly string[] {
  const random = randomOf(seed)
  const one = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]
  const input = one(INPUTS)
  const stages = Array.from({ length: Math.floor(random() * 4) }, () => {
    const kind = random()
    if (kind < 0.25) return ['-w', one(WHERE)]
    if (kind < 0.5) return ['-E', one(EACH)]
    return ['-e', random() < 0.2 ? one(ANY) : one(input.maps)]
  }).flat()
  const format = random() < 0.5 ? [] : ['-t', one(FORMATS)]
  const ends = random() < 0.6 ? one(ENDS) : []
  return [...stages, ...format, ...ends, ...(input.args ?? []), input.name]
}

it.each(Array.from({ length: CASES }, (_, seed) => [seed, commandOf(seed).join(' ')] as const))(
  'seed %i: %s',
  async (seed) => {
    const args = commandOf(seed)
    const [here, workers] = await Promise.all([folder.run(args), folder.run([...args, '-j', '2'])])
    expect(here).toEqual(workers)
    expect(here.signal).toBeNull()
  },
)
