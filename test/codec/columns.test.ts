/** Which chunks become columns, and what a column contains. */
import { serialize } from 'node:v8'
import { pack, type Data } from '#dist/codec/codec.js'
import { form, rows, sent } from './arrivals.js'

const record = (row: number): object => ({ id: row, name: `name ${row}` })
const shared = { a: 1 }

class Job {
  id = 1
}

function segmentsOf(data: Data): readonly string[] {
  return 'kind' in data && data.kind === 'text' ? data.segments : []
}

describe('pack()', () => {
  const forms: [string, unknown[], string][] = [
    ['integers', rows((row) => row), 'numbers'],
    ['fractions', rows((row) => row / 2), 'numbers'],
    ['strings', rows(String), 'text'],
    ['dates', rows((row) => new Date(row)), 'dates'],
    ['records', rows(record), 'records(numbers,text)'],
    ['records in records', rows((row) => ({ id: row, user: record(row) })), 'records(numbers,records(numbers,text))'],
    ['groups of a match', rows((row) => /(?<row>\d+)/.exec(String(row))?.groups), 'records(text)'],
    ['what each record shares', rows((row) => ({ row, config: shared })), 'records(numbers,records(numbers))'],
    ['lists in records', rows((row) => ({ row, hits: [row] })), 'records(numbers,lists(numbers))'],
    ['points', rows((row) => [row / 2, -0]), 'lists(numbers)'],
    ['lists of numbers', rows((row) => rows((n) => n, row % 7)), 'lists(numbers)'],
    ['lists of strings', rows((row) => rows(String, row % 4)), 'lists(text)'],
    ['lists of many strings', rows((row) => rows(String, 4 + (row % 2))), 'clone'],
    ['tuples of strings', rows((row) => rows(String, 4).concat(`${row}`)), 'tuples(text,text,text,text,text)'],
    ['lists of records', rows((row) => rows(record, row % 4)), 'lists(records(numbers,text))'],
    ['entries', rows((row) => [`key ${row}`, row, row / 2]), 'tuples(text,numbers,numbers)'],
    ['entries with records', rows((row) => [`key ${row}`, record(row)]), 'tuples(text,records(numbers,text))'],
    ['entries or null', rows((row) => (row % 3 === 0 ? null : [row, 'x'])), 'mixed(tuples(numbers,text))'],
    ['entries of two lengths', rows((row) => (row % 9 === 3 ? ['x'] : [row, 'x'])), 'clone'],
    [
      'three points each',
      rows((row) => [
        [row, 1],
        [row, 2],
        [row, 3],
      ]),
      'tuples(lists(numbers),lists(numbers),lists(numbers))',
    ],
    ['lists of points', rows((row) => rows((n) => [n, row], row % 5)), 'lists(lists(numbers))'],
    ['numbers with gaps', rows((row) => (row < 9 ? [row, 1] : [row, null])), 'tuples(numbers,mixed(numbers))'],
    ['matches', rows((row) => /(\d)/.exec(String(row))), 'clone'],
    ['arrays with holes', rows(() => [1, , 3]), 'clone'],
    ['arrays with a hole and a field', rows(() => Object.assign([1, , 3], { more: 1 })), 'clone'],
    ['lists of instances', rows(() => [new Job()]), 'clone'],
    [
      'records or lists in records',
      rows((row) => ({ in: row % 8 === 3 ? [row] : record(row) })),
      'records(mixed(records(numbers,text),lists(numbers)))',
    ],
    [
      'optional keys',
      rows((row) => (row % 3 === 0 ? { row } : { row, more: 'x' })),
      'mixed(records(numbers),records(numbers,text))',
    ],
    ['null and undefined', rows((row) => [row, null, undefined][row % 3]), 'mixed(numbers)'],
    ['booleans', rows((row) => row % 2 === 0), 'mixed()'],
    ['records and an odd one', [...rows(record), new Map()], 'mixed(records(numbers,text),plain)'],
    ['class instances', rows(() => new Job()), 'clone'],
    ['long strings', rows(() => 'x'.repeat(2000)), 'clone'],
    ['numbers and strings by turns', rows((row) => (row % 2 === 0 ? row : 'x')), 'clone'],
    ['records of many kinds', rows((row) => ({ [`key${row}`]: 1 })), 'clone'],
    ['few values', rows(record, 47), 'clone'],
    ['nothing', [], 'clone'],
  ]
  it.each(forms)('has its form for %s', (_, values, expected) => {
    expect(form(values)).toBe(expected)
  })

  it('sends a string that repeats the one before it once', () => {
    const runs = rows((row) => `run ${Math.floor(row / 10)}`, 100)
    expect(segmentsOf(pack(runs).data)).toEqual(['run 0run 1run 2run 3run 4run 5run 6run 7run 8run 9'])
    expect(sent(runs)).toEqual(runs)
    const mixed = rows((row) => (row % 3 === 0 ? row : 'same'), 100)
    expect(sent(mixed)).toEqual(mixed)
  })

  it('lets arrays arrive that V8 knows to have no holes, and writes in its short form', () => {
    const lists = [
      [1],
      [1, 2],
      [1, 2, 3],
      [1, 2, 3, 4],
      [0.5, 1],
      [0.5, 1, 2],
      [0.5, 1, 2, 3],
      ['x', 1],
      [[1, 'x'], [2]],
    ]
    for (const list of lists) {
      const arrived = sent(rows(() => list))
      expect(serialize(arrived[40])).toEqual(serialize(list))
    }
    const texts = sent(rows((row) => rows(String, row % 4)))
    expect(serialize(texts[3])).toEqual(serialize(['0', '1', '2']))
  })

  it('moves large buffers that it made, and does not change the values', () => {
    const numbers = rows((row) => row, 2000)
    const { transfer } = pack(numbers)
    expect(transfer).toHaveLength(1)
    expect(pack(rows((row) => row)).transfer).toEqual([])
    expect(sent(numbers)).toEqual(numbers)
    const bytes = new Uint8Array(5000)
    expect(pack(rows(() => ({ bytes }))).transfer).toEqual([])
    expect(sent(rows(() => ({ bytes })))).toEqual(rows(() => ({ bytes })))
    expect(bytes.byteLength).toBe(5000)
  })

  it('joins strings into segments of at most 1,024 characters, each as wide as it must be', () => {
    const texts = rows((row) => `${row}${row === 30 ? '€' : 'x'}`.padEnd(100, 'y'), 200)
    const segments = segmentsOf(pack(texts).data)
    expect(segments.map(({ length }) => length)).toEqual(rows(() => 1000, 20))
    expect(segments.flatMap((segment, at) => (segment.includes('€') ? [at] : []))).toEqual([3])
    expect(segments.join('')).toBe(texts.join(''))
  })

  const sizes: [string, unknown[]][] = [
    ['numbers', rows((row) => row * 1e6, 500)],
    ['fractions', rows((row) => row / 3, 500)],
    ['strings', rows((row) => `text ${row}`, 500)],
    ['long strings', rows(() => 'x'.repeat(2000))],
    ['records', rows(record, 500)],
    ['records with lists', rows((row) => ({ row, list: ['abcd', row, [1, 2, 3]] }), 500)],
    ['maps', rows((row) => new Map([[row, { text: 'x'.repeat(row) }]]))],
    ['blocks', rows(() => new Uint8Array(1000))],
    ['few values', ['x'.repeat(100), 1, { a: 'b'.repeat(100) }]],
    ['mixed values', rows((row) => (row % 3 === 0 ? null : row % 3 === 1 ? row : [String(row)]))],
  ]
  it.each(sizes)('knows about how many bytes a message of %s takes', (_, values) => {
    const { data, bytes } = pack(values)
    const exact = serialize(data).byteLength
    expect(bytes).toBeGreaterThan(exact / 2)
    expect(bytes).toBeLessThan(exact * 2)
  })
})
