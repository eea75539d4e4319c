/** The stream of `sample()`: some of the items of a source. Records that are left out are not decoded. */
import { Items, type Batch } from '../codec/batch.js'
import { BadRecord } from '../codec/records/record-data.js'
import { RecordBatch } from '../codec/records/record-batch.js'
import { RowBatch } from '../codec/rows/row-batch.js'
import { showState } from '../inspect.js'
import { meterOf, offerMeter } from '../io/input-meter.js'
import { givesRecords, offerBatches, type BatchReader, type Source } from '../io/source.js'
import { Mark, offerResume, type Json, type ResumePoint } from '../resume/mark.js'
import { Choice } from './choice.js'
import { ReadResults } from './read-results.js'

/** How many records are decoded here together. */
const MAX_RECORDS_AT_ONCE = 1_000

export interface SampleSettings {
  readonly share: number
  readonly seed: number
}

export class Sampled<T> extends ReadResults<T, T> {
  static {
    showState(
      this.prototype as Sampled<unknown>,
      (sampled) => ({ ...sampled.#settings, state: sampled.state }),
      'Sampled',
    )
  }

  readonly #settings: SampleSettings
  #choice: Choice
  readonly #point: ResumePoint
  /** The values of a batch that have not been given. */
  #held: Iterator<unknown> = [].values()

  constructor(source: Source<T>, settings: SampleSettings, signal?: AbortSignal) {
    super('sample', source, signal)
    this.#settings = settings
    this.#choice = new Choice(settings.share, settings.seed)
    this.#point = { source, plan: { verb: 'sample', ...settings }, begin: this.#begin, noteEnd: this.#note }
    offerResume(this, this.#point)
    const meter = meterOf(source)
    if (meter !== undefined) offerMeter(this, meter)
    offerBatches(this, (use) => (this.open(use) ? this.#reader() : undefined), givesRecords(source))
  }

  override async return(): Promise<IteratorResult<T, undefined>> {
    this.#held = [].values()
    return await super.return()
  }

  /** Also those of records, which need no decoding. */
  protected override takesBatches(): boolean {
    return true
  }

  protected async readNext(): Promise<IteratorResult<T, undefined>> {
    const read = (): Promise<{ value: T } | undefined> => (this.givesBatches ? this.#nextValue() : this.#nextItem())
    const held = this.#held.next()
    const given = held.done === true ? await this.readOr(read, () => undefined) : { value: held.value as T }
    if (given === undefined) return { value: undefined, done: true }
    if (!(given.value instanceof BadRecord)) return { value: given.value, done: false }
    // The record that is bad ends the reading, as it does in a loop over its source.
    await this.return()
    throw given.value.error
  }

  #reader(): BatchReader {
    const unitOf = (): number | undefined => this.unit
    return {
      next: (max) => this.inTurn(() => this.#nextBatch(max)),
      close: () => this.return(),
      get unit() {
        return unitOf()
      },
    }
  }

  async #nextItem(): Promise<{ value: T } | undefined> {
    let found: { value: T } | undefined
    await this.readItems((value) => {
      if (this.#choice.next()) found = { value }
      return found === undefined
    })
    return found
  }

  async #nextValue(): Promise<{ value: T } | undefined> {
    const batch = await this.#chosen(MAX_RECORDS_AT_ONCE)
    if (batch === undefined) return undefined
    // A copy: what is released may be emptied.
    this.#held = [...batch.values()].values()
    batch.release()
    return { value: (this.#held.next() as IteratorYieldResult<T>).value }
  }

  async #nextBatch(max: number): Promise<Batch | undefined> {
    return await this.readOr(
      () => this.#chosen(max),
      () => undefined,
    )
  }

  /** How many items have been looked at says all. */
  readonly #note = (mark: Mark): void => {
    mark.notes.set(this.#point, this.#choice.position)
  }

  readonly #begin = (_: unknown, note?: Json): void => {
    if (typeof note === 'number') this.#choice = new Choice(this.#settings.share, this.#settings.seed, note)
  }

  /** The next batch of chosen items, at least one; undefined at the end. Or a mark. */
  async #chosen(max: number): Promise<Batch | undefined> {
    for (;;) {
      const batch = await this.readBatch(max)
      if (batch === undefined) return undefined
      if (batch instanceof Mark) {
        this.#note(batch)
        return batch
      }
      const chosen =
        batch instanceof RecordBatch || batch instanceof RowBatch ? this.#records(batch) : this.#values(batch)
      batch.release()
      if (chosen !== undefined) return chosen
    }
  }

  #records(batch: Batch): Batch | undefined {
    let chosen: Batch | undefined
    for (const [start, end] of this.#choice.runs(batch.length)) {
      const run = batch.slice(start, end)
      chosen = chosen?.join(run) ?? run
    }
    return chosen
  }

  #values(batch: Batch): Batch | undefined {
    const chosen = batch.values().filter(() => this.#choice.next())
    return chosen.length === 0 ? undefined : new Items(chosen)
  }
}
