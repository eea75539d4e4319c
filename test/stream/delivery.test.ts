/** The queues between executor and consumer. */
import fc from 'fast-check'
import { Items } from '#dist/codec/batch.js'
import type { Chunk } from '#dist/executor/executor.js'
import { OrderedDelivery, type Delivery } from '#dist/stream/delivery.js'
import { Fifo } from '#dist/fifo.js'
import type { ArrivedPart } from '#dist/stream/outcome.js'
import { times } from '../support/volume.js'

function chunkOf(first: number): Chunk {
  return { first, items: new Items([first, first]) }
}
function part(chunk: Chunk, from: number, last = from === 1): ArrivedPart {
  return { worker: 1, chunk, from, count: 1, results: new Items([chunk.first + from]), last }
}
/** The items whose parts are due, in the order of delivery. */
function takeAll(delivery: Delivery): number[] {
  const taken: number[] = []
  for (let next = delivery.shift(); next !== undefined; next = delivery.shift())
    taken.push(next.chunk.first + next.from)
  return taken
}

describe('OrderedDelivery', () => {
  it('gives the parts of a chunk when all of those before it have been given', () => {
    const delivery = new OrderedDelivery()
    const [a, b, c] = [chunkOf(0), chunkOf(2), chunkOf(4)]
    for (const chunk of [a, b, c]) delivery.admit(chunk)
    delivery.push(part(b, 0))
    delivery.push(part(c, 0))
    delivery.push(part(c, 1))
    expect(takeAll(delivery)).toEqual([])
    delivery.push(part(a, 0))
    expect(takeAll(delivery)).toEqual([0])
    delivery.push(part(a, 1))
    expect(takeAll(delivery)).toEqual([1, 2])
    delivery.push(part(b, 1))
    expect(takeAll(delivery)).toEqual([3, 4, 5])
  })

  it('gives everything in order, whenever it comes', () => {
    const plan = fc.array(fc.nat({ max: 99 }), { minLength: 20, maxLength: 20 })
    fc.assert(
      fc.property(plan, (order) => {
        const delivery = new OrderedDelivery()
        const chunks = Array.from({ length: 20 }, (_, i) => chunkOf(2 * i))
        for (const chunk of chunks) delivery.admit(chunk)
        const taken: number[] = []
        for (const [i] of [...order.entries()].sort(([, a], [, b]) => a - b)) {
          const chunk = chunks[i]
          if (chunk === undefined) continue
          for (const from of [0, 1]) {
            delivery.push(part(chunk, from))
            if (i % 3 === 0) taken.push(...takeAll(delivery))
          }
        }
        taken.push(...takeAll(delivery))
        expect(taken).toEqual(Array.from({ length: 40 }, (_, i) => i))
      }),
    )
  })
})

describe('the delivery of an unordered stream', () => {
  it('gives parts as they come', () => {
    const delivery: Delivery = new Fifo<ArrivedPart>()
    const [a, b] = [chunkOf(0), chunkOf(2)]
    for (const [chunk, from] of [
      [b, 0],
      [a, 1],
      [b, 1],
      [a, 0],
    ] as const)
      delivery.push(part(chunk, from))
    expect(takeAll(delivery)).toEqual([2, 1, 3, 0])
  })
})

describe('Fifo', () => {
  it('is an array that is shifted, at every length', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3_000, max: 3_000 }), { maxLength: 20 }), (steps) => {
        const queue = new Fifo<number>()
        const array: number[] = []
        for (const count of steps) {
          for (let i = 0; i < count; i++) {
            queue.push(i)
            array.push(i)
          }
          for (let i = 0; i > count; i--) {
            const isSame = queue.size === array.length && queue.peek() === array[0] && queue.shift() === array.shift()
            if (!isSame) return false
          }
        }
        expect(queue.size).toBe(array.length)
        queue.clear()
        expect([queue.size, queue.peek(), queue.shift()]).toEqual([0, undefined, undefined])
        return true
      }),
      { numRuns: times(20, 100) },
    )
  })
})
