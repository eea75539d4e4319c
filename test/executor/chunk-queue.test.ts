/** The chunks of a pool that wait for a thread. */
import { AsyncResource } from 'node:async_hooks'
import { Items } from '#dist/codec/batch.js'
import { ChunkQueue } from '#dist/executor/threads/chunk-queue.js'
import { InFlightChunk } from '#dist/executor/threads/in-flight-chunk.js'
import { ThreadLane } from '#dist/executor/threads/thread-lane.js'

function nothing(): void {
  // No stream listens.
}

function lane(): ThreadLane {
  const job = { kind: 'map', concurrency: 1, ordered: true, stopOnError: true, deep: false } as const
  const name = { module: 'file:///none.js', id: 'none' } as never
  const client = { context: new AsyncResource('TEST'), wake: nothing }
  return new ThreadLane({ submit: nothing, advance: nothing, release: nothing }, { ...job, name }, client)
}

function inFlight(of: ThreadLane, number: number): InFlightChunk {
  return new InFlightChunk(of, { first: 0, items: new Items([]) }, number)
}

describe('ChunkQueue', () => {
  it('gives chunks in the order of their numbers, also those that come back', () => {
    const queue = new ChunkQueue()
    const one = lane()
    const chunks = [1, 2, 3, 4, 5, 6].map((number) => inFlight(one, number))
    for (const each of chunks) queue.add(each)
    const taken = [queue.shift(), queue.shift(), queue.shift()]
    for (const each of [taken[1], taken[2], taken[0]]) if (each !== undefined) queue.add(each)
    expect(queue.size).toBe(6)
    expect(chunks.map(() => queue.shift()?.number)).toEqual([1, 2, 3, 4, 5, 6])
    expect([queue.shift(), queue.first, queue.size]).toEqual([undefined, undefined, 0])
  })

  it('knows the chunks of a lane, and takes out any of them', () => {
    const queue = new ChunkQueue()
    const [one, other] = [lane(), lane()]
    const chunks = [1, 2, 3, 4, 5].map((number) => inFlight(number % 2 ? one : other, number))
    for (const each of chunks) queue.add(each)
    expect([...queue.ofLane(one)].map(({ number }) => number)).toEqual([1, 3, 5])
    for (const each of queue.ofLane(one)) queue.remove(each)
    queue.forget(one)
    expect([...queue.ofLane(one)]).toEqual([])
    expect([queue.shift()?.number, queue.shift()?.number, queue.size]).toEqual([2, 4, 0])
  })

  it('refuses to take out a chunk that does not wait, as it would be another one', () => {
    const queue = new ChunkQueue()
    queue.add(inFlight(lane(), 1))
    expect(() => {
      queue.remove(inFlight(lane(), 2))
    }).toThrow('Cannot remove a chunk as it does not wait')
    expect(queue.size).toBe(1)
  })
})
