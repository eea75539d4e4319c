/** Results that a producer gets from hosts that are not as they should be. */
import type { Outcome } from 'millrace'
import { Names } from '#dist/cluster/names.js'
import { encodeData } from '#dist/wire/data.js'
import { plainBody } from '#dist/wire/body.js'
import { encodeResult, type Result } from '#dist/wire/result.js'
import { decodeUnit, type Unit } from '#dist/wire/unit.js'
import * as tasks from '../fixtures/cluster-tasks.js'
import { CalmCluster, NAMES, verbsOn } from '../support/cluster/calm.js'

type Outcomes = readonly Outcome<number, number>[]

/** A stream of two items whose unit no host takes: the test is the host. */
class Run {
  readonly #cluster = new CalmCluster()
  readonly #remote = this.#cluster.executor()
  readonly outcomes: Promise<Outcomes> = verbsOn(this.#remote)
    .imap(tasks.double, [1, 2], { errors: 'settle', chunksize: 2 })
    .toArray()

  /** The units that were sent. */
  async units(count = 1): Promise<Unit[]> {
    const { server } = this.#cluster
    const units = (): Uint8Array[] =>
      [...(server.streams.get('millrace-test-tasks-any')?.messages.values() ?? [])].map(({ data }) => data)
    await server.until(() => units().length >= count)
    return units().map((data) => decodeUnit(data))
  }

  publish(data: Uint8Array): void {
    const subject = new Names(NAMES).result({ name: 'me', producer: this.#remote.producer.id })
    this.#cluster.server.publish(subject, data)
  }

  get counts(): { readonly duplicates: number; readonly rejected: number } {
    return this.#remote.producer.counts
  }

  close(): Promise<void> {
    return this.#cluster.close()
  }
}

function resultOf(unit: Unit, fields: Partial<Result> = {}): Uint8Array {
  return encodeResult({
    token: unit.token,
    run: unit.run,
    unit: unit.unit,
    part: 0,
    from: 0,
    count: 2,
    places: undefined,
    counts: undefined,
    errors: [],
    fault: undefined,
    isUnread: false,
    isLost: false,
    isFolded: false,
    isLast: true,
    time: 1,
    worker: 1,
    host: 'test',
    body: plainBody(encodeData([2, 4])),
    ...fields,
  })
}

function codesOf(outcomes: Outcomes): unknown[] {
  return outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as { code?: string }).code,
  )
}

let run: Run
beforeEach(() => {
  run = new Run()
})
afterEach(() => run.close())

it('values that cannot be read are errors of their items', async () => {
  const [unit] = (await run.units()) as [Unit]
  run.publish(resultOf(unit, { count: 1, isLast: false, body: plainBody(encodeData([2])) }))
  run.publish(resultOf(unit, { from: 1, count: 1, body: plainBody(new Uint8Array([99])) }))
  expect(codesOf(await run.outcomes)).toEqual([2, 'ERR_NOT_SERIALIZABLE'])
})

it('a result that cannot be read is the error of all items that have no outcome', async () => {
  const [unit] = (await run.units()) as [Unit]
  run.publish(resultOf(unit).slice(0, 30))
  expect(codesOf(await run.outcomes)).toEqual(['ERR_NOT_SERIALIZABLE', 'ERR_NOT_SERIALIZABLE'])
})

it('an outcome that comes again, or late, is not taken', async () => {
  const [unit] = (await run.units()) as [Unit]
  run.publish(resultOf(unit, { from: 1, count: 1, isLast: false, body: plainBody(encodeData([4])) }))
  run.publish(resultOf(unit, { from: 1, count: 1, isLast: false, body: plainBody(encodeData([5])) }))
  run.publish(resultOf(unit, { body: plainBody(encodeData([2, 6])) }))
  run.publish(resultOf(unit, { body: plainBody(encodeData([7, 7])) }))
  expect(codesOf(await run.outcomes)).toEqual([2, 4])
})

it('results of somebody else are not taken', async () => {
  const [unit] = (await run.units()) as [Unit]
  const wrong = plainBody(encodeData([0, 0]))
  run.publish(resultOf(unit, { token: new Uint8Array(16), body: wrong }))
  run.publish(resultOf(unit, { run: unit.run + 1, body: wrong }))
  run.publish(resultOf(unit, { unit: unit.unit + 1, body: wrong }))
  run.publish(resultOf(unit))
  expect(codesOf(await run.outcomes)).toEqual([2, 4])
  expect(run.counts).toMatchObject({ rejected: 1, duplicates: 2 })
})

it('the items of a unit that was lost go one after the other, and only one that is lost again fails', async () => {
  const [unit] = (await run.units()) as [Unit]
  const nothing = { count: 0, isLost: true, body: plainBody(encodeData([])) }
  run.publish(resultOf(unit, nothing))
  const [, first] = (await run.units(2)) as [Unit, Unit]
  expect([first.first, first.count]).toEqual([0, 1])
  run.publish(resultOf(first, { count: 1, body: plainBody(encodeData([2])) }))
  const [, , second] = (await run.units(3)) as [Unit, Unit, Unit]
  expect([second.first, second.count]).toEqual([1, 1])
  run.publish(resultOf(second, nothing))
  expect(codesOf(await run.outcomes)).toEqual([2, 'ERR_HOST_LOST'])
})
