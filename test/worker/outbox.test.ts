/** Outcomes that wait to be posted together. */
import type { EncodedError } from '#dist/codec/error-codec/types.js'
import { Outbox } from '#dist/worker/outbox.js'

const error: EncodedError = { thrown: { value: 'thrown' }, errors: [] }

describe('Outbox', () => {
  it('has one result for each item, and something in the place of one that failed', () => {
    const outbox = new Outbox(3, undefined, false)
    outbox.take('map', 'item', undefined)
    outbox.fail(error)
    outbox.take('map', 'item', 'result')
    expect(outbox).toMatchObject({ from: 3, count: 3, counts: undefined, errors: [[1, error]] })
    expect(outbox.results).toEqual([undefined, undefined, 'result'])
    expect(outbox.next()).toMatchObject({ from: 6, count: 0, results: [], errors: undefined, chunkOffsets: undefined })
  })

  it('has the items themselves, of a filter, whose task returned something truthy', () => {
    const outbox = new Outbox(0, undefined, true)
    outbox.take('filter', 'kept', 1)
    outbox.take('filter', 'dropped', 0)
    outbox.fail(error)
    outbox.take('filter', undefined, 'yes')
    expect(outbox.results).toEqual(['kept', undefined])
    expect(outbox).toMatchObject({ count: 4, counts: [1, 0, 0, 1], errors: [[2, error]] })
    expect(outbox.next()).toMatchObject({ from: 4, count: 0, counts: [] })
  })

  it('has any number of results for an item of a flatMap', () => {
    const outbox = new Outbox(0, [], true)
    outbox.take('flatMap', 'item', [1, 2, 3])
    outbox.take('flatMap', 'item', [])
    outbox.take('flatMap', 'item', [[4]])
    expect(outbox).toMatchObject({ count: 3, counts: [3, 0, 1], results: [1, 2, 3, [4]] })
    expect(outbox.next()).toMatchObject({ chunkOffsets: [], counts: [] })
  })

  it('has one result of all items of a fold', () => {
    const outbox = new Outbox(0, undefined, true)
    outbox.putFolded(3, 'accumulator')
    expect(outbox).toMatchObject({ count: 3, counts: undefined, isFolded: true, results: ['accumulator'] })
  })

  it('has one result of a fold in which items have failed, which an item gets afterwards', () => {
    const outbox = new Outbox(0, undefined, true)
    outbox.skip()
    outbox.fail(error)
    outbox.skip()
    outbox.insert(2, 'accumulator')
    expect(outbox).toMatchObject({ count: 3, counts: [0, 0, 1], results: ['accumulator'] })
  })
})
