/** Stages that run in one pass. */
import type { PassData, StageData } from '#dist/cli/run/pass-data.js'
import { passTask } from '#dist/cli/run/pass-task.js'
import { stageOf } from '#dist/cli/run/stage-mark.js'
import { PLACE_NAMES } from '#dist/cli/run/expression.js'
import { usedNames } from '#dist/cli/run/used-names.js'
import type { TaskContext } from 'millrace'

const TASKS = new URL('../fixtures/cli/tasks.js', import.meta.url).href
const where = { index: 4, file: 'a.log', record: 5 } as TaskContext

const by = (kind: StageData['kind'], expression: string): StageData => ({
  kind,
  label: `-e ${expression}`,
  work: { expression, uses: usedNames(expression, PLACE_NAMES) },
})
const task = (kind: StageData['kind'], exported: string): StageData => ({
  kind,
  label: exported,
  work: { module: TASKS, exported },
})

async function passOf(stages: readonly StageData[], more: Partial<PassData> = {}): Promise<(item: unknown) => unknown> {
  const all = { id: 'pass', stages, modules: [], isPrinted: false, carries: false, isCarried: false, ...more }
  const run = await passTask(all)
  return (item) => run(item, where)
}

describe('a pass', () => {
  it('takes an item through all stages, without a promise if none of them gives one', async () => {
    const run = await passOf([by('map', 'd * 2'), by('filter', 'd > 2'), by('flatMap', '[d, d + 1]'), by('map', '-d')])
    expect(run(1)).toEqual([])
    expect(run(2)).toEqual([-4, -5])
  })

  it('leaves out results that are undefined, and has no elements of nothing', async () => {
    const run = await passOf([by('map', 'd.a'), by('flatMap', 'd.b'), by('map', 'd')])
    expect(run({})).toEqual([])
    expect(run({ a: {} })).toEqual([])
    expect(run({ a: { b: null } })).toEqual([])
    expect(run({ a: { b: [1, undefined, null] } })).toEqual([1, null])
  })

  it('awaits what is a promise, in the order of the items', async () => {
    const run = await passOf([
      task('map', 'later'),
      task('flatMap', 'words'),
      by('filter', "await d !== 'B'"),
      task('flatMap', 'letters'),
      by('map', 'd + i'),
    ])
    expect(await run('ab b cd')).toEqual(['A4', 'B4', 'C4', 'D4'])
  })

  it('gives a context to the handle of a task, and the item alone to a plain export', async () => {
    expect((await passOf([task('map', 'placed')]))('x')).toEqual(['4 a.log:undefined x'])
    expect((await passOf([task('map', 'alone')]))('x')).toEqual([1])
  })

  it('carries the place of an item to the next pass', async () => {
    const first = await passOf([by('flatMap', '[d, d]')], { carries: true })
    const second = await passOf([by('map', '[d, i, file, record]')], { isCarried: true })
    const carried = first('x') as unknown[]
    expect(carried).toEqual([
      ['x', 'a.log', 5],
      ['x', 'a.log', 5],
    ])
    expect(second(['x', 'b.log', 9])).toEqual([['x', 4, 'b.log', 9]])
    const handle = await passOf([by('map', 'd'), task('map', 'placed')], { isCarried: true })
    expect(handle(['x', 'b.log', 9])).toEqual(['4 b.log:undefined x'])
  })

  it('carries it through a pass, and to a fold', async () => {
    const through = await passOf([by('map', 'd + i')], { carries: true, isCarried: true })
    expect(through(['x', 'b.log', 9])).toEqual([['x4', 'b.log', 9]])
    const fold = { module: TASKS, exported: 'filesOf', label: 'filesOf' }
    const run = await passTask({
      id: 'pass',
      stages: [],
      modules: [],
      isPrinted: false,
      carries: false,
      isCarried: true,
      fold,
    })
    expect(run([], ['x', 'b.log', 9], where)).toEqual(['b.log:9 x'])
  })

  it('prints strings as they are, and other values as JSON', async () => {
    const run = await passOf([by('map', 'd')], { isPrinted: true })
    expect([run('a "b"'), run({ a: [1] }), run(null), run(1.5)]).toEqual([['a "b"'], ['{"a":[1]}'], ['null'], ['1.5']])
    expect(() => run(1n)).toThrow(/^Cannot print the result as JSON.stringify\(\) threw '.*BigInt/)
    expect(() => run(Symbol('s'))).toThrow(/^Cannot print the result as JSON has no such value: received /)
  })

  it('folds what its stages give', async () => {
    const fold = { module: TASKS, exported: 'byStatus', label: 'byStatus' }
    const run = await passTask({
      id: 'pass',
      stages: [task('map', 'default'), by('filter', 'd.status > 200')],
      modules: [],
      isPrinted: false,
      carries: false,
      isCarried: false,
      fold,
    })
    const counts = {}
    for (const line of ['1 200 /', '2 404 /', '3 404 /']) expect(run(counts, line, where)).toBe(counts)
    expect(counts).toEqual({ 404: 2 })
  })
})

it('refuses a result that is a function, also of a promise', async () => {
  for (const stage of [by('filter', '(d => d)'), by('map', 'Promise.resolve(d => d)'), by('flatMap', 'd.toString')]) {
    const run = await passOf([stage])
    const error: unknown = await Promise.resolve()
      .then(() => run('x'))
      .catch((error: unknown) => error)
    expect(error).toMatchObject({ message: expect.stringMatching(/^The result is a function: call it, or/) as string })
    expect(stageOf(error)).toBe(stage.label)
  }
})

describe('an error in a pass', () => {
  const failing: readonly (readonly [string, StageData])[] = [
    ['thrown', by('map', 'd.a.b')],
    ['rejected', by('map', 'await Promise.reject(new TypeError("no"))')],
    ['not iterable', by('flatMap', '5')],
    ['of an async iterable', by('flatMap', '(async function* () { throw new TypeError("no") })()')],
  ]
  it.each(failing)('names its stage: %s', async (_, stage) => {
    const run = await passOf([by('map', 'd'), stage])
    const error: unknown = await Promise.resolve()
      .then(() => run({}))
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TypeError)
    expect(stageOf(error)).toBe(stage.label)
  })

  it('is left alone if it is no object, or frozen', async () => {
    const run = await passOf([task('map', 'throwsText')])
    expect(() => run('x')).toThrow('no error')
    const frozen = await passOf([by('map', '(() => { throw Object.freeze(new Error("cold")) })()')])
    expect(() => frozen('x')).toThrow('cold')
  })
})
