/** A host publishes the outcomes of a unit one message after the other, and gathers those that come meanwhile. */
import { Items } from '#dist/codec/batch.js'
import type { Broker, Delivery } from '#dist/cluster/broker.js'
import { systemClock } from '#dist/cluster/clock.js'
import { Names } from '#dist/cluster/names.js'
import type { LaneUnit, RunLanes } from '#dist/cluster/run-lanes.js'
import { headOf, UnitRun } from '#dist/cluster/unit-run.js'
import type { Chunk, Part } from '#dist/executor/executor.js'
import { plainBody } from '#dist/wire/body.js'
import { encodeValues } from '#dist/wire/data.js'
import { decodeResult, type Result } from '#dist/wire/result.js'
import { encodeUnit } from '#dist/wire/unit.js'
import { unit } from '../support/wire-messages.js'

const ITEMS = 5
const NAMES = { namespace: 'test', group: 'any' }

/** A unit that runs, whose parts and confirmations the test gives. */
class Scene {
  readonly results: Result[] = []
  readonly done: Promise<void>
  #confirm = (): void => undefined
  #chunk: Chunk | undefined
  #unit: LaneUnit | undefined
  #published = (): void => undefined

  constructor() {
    const lane = {
      submit: (chunk: Chunk, unit: LaneUnit) => {
        this.#chunk = chunk
        this.#unit = unit
      },
      done: () => undefined,
    }
    const broker = {
      maxPayload: 2 ** 20,
      publish: (_: string, data: Uint8Array) => {
        const result = decodeResult(data, () => ITEMS)
        if (result !== undefined) this.results.push(result)
        this.#published()
        return new Promise<number>((resolve) => {
          this.#confirm = () => {
            resolve(1)
          }
        })
      },
    }
    const items = plainBody(encodeValues(Array.from({ length: ITEMS }, (_, at) => at)))
    const data = encodeUnit({ ...unit, count: ITEMS, failed: [], ordered: false, body: items })
    const delivery = { subject: '', data, delivery: 1, ack: () => undefined } as unknown as Delivery
    const head = headOf(data)
    if (head === undefined) throw new Error('The unit has no head')
    const options = {
      ...NAMES,
      broker: broker as unknown as Broker,
      names: new Names(NAMES),
      clock: systemClock,
      lanes: { of: () => lane } as unknown as RunLanes,
      name: 'host',
    }
    this.done = new UnitRun(
      options,
      { taskKey: 'tasks@1', url: 'file:///tasks.js', exports: new Set([unit.task]) },
      delivery,
      head,
      'results',
    ).run()
  }

  /** The places whose outcomes came together, and the last of them. */
  give(places: readonly number[], last = false): void {
    if (this.#chunk === undefined) throw new Error('The unit does not run')
    const results = new Items(places.map((place) => `result of ${place}`))
    const part: Part = {
      chunk: this.#chunk,
      from: 0,
      chunkOffsets: places,
      count: places.length,
      results,
      worker: 1,
      last,
    }
    this.#unit?.receive(part)
  }

  /** Resolves when a result has been published. */
  async published(count: number): Promise<void> {
    while (this.results.length < count) {
      await new Promise<void>((resolve) => {
        this.#published = resolve
      })
    }
  }

  confirm(): void {
    this.#confirm()
  }
}

it('gives all that came while a result was published in the next one', async () => {
  const scene = new Scene()
  await new Promise((resolve) => setImmediate(resolve))
  scene.give([3])
  await scene.published(1)
  scene.give([0])
  scene.give([4, 2])
  scene.give([1], true)
  scene.confirm()
  await scene.published(2)
  scene.confirm()
  await scene.done
  expect(scene.results.map(({ places, from, count, isLast }) => [places ?? from, count, isLast])).toEqual([
    [[3], 1, false],
    [[0, 4, 2, 1], 4, true],
  ])
})
