/** The two forms in which a queue writes its items: by `Serializer`, and for runtimes without it. */
import { ENGINE_FORM, FORM, PAIR_FORM } from '#dist/multiprocessing/sync/clone-bytes.js'

const circular: Record<string, unknown> = { a: 1 }
circular.self = circular

describe.each([
  ['ENGINE_FORM', ENGINE_FORM],
  ['PAIR_FORM', PAIR_FORM],
])('%s', (_, form) => {
  it.each([
    ['undefined', undefined],
    ['-0', -0],
    ['a bigint', 2n ** 70n],
    ['a hole', [, 1]],
    ['a Map of Dates', new Map([[1, new Date(5)]])],
    ['a view', new Float64Array([1, 2])],
    ['a circle', circular],
  ])('returns its value, and the number: %s', (_, value) => {
    expect(form.read(form.write(2, value))).toStrictEqual({ kind: 2, value })
  })

  it.each([
    ['a SharedArrayBuffer', new SharedArrayBuffer(8)],
    ['a view of one, in a Map', { deep: [new Map([[1, new Int32Array(new SharedArrayBuffer(8))]])] }],
    ['a function', { on: () => 1 }],
  ])('refuses %s', (_, value) => {
    expect(() => form.write(0, value)).toThrow('could not be cloned')
  })
})

it('is that of Serializer in Node.js', () => {
  expect(FORM).toBe(ENGINE_FORM)
})
