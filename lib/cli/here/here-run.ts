/** The stages of a command line over the records of small files, one record after the other, on this thread. */
import type { Batch } from '../../codec/batch.js'
import type { Place } from '../../codec/records/format.js'
import { BadRecord } from '../../codec/records/record-data.js'
import { noteFailure, rememberEnd, type Failure } from '../../failure.js'
import type { OutputFormat } from '../../formats/output-format.js'
import { OutputLayout } from '../../formats/output-layout.js'
import { RecordFormatter } from '../../formats/record-formatter.js'
import { openBatches, type BatchReader, type Source } from '../../io/source.js'
import { RecordOutput } from '../../sinks/record-output.js'
import { isThenable } from '../../thenable.js'
import { takesContext, type TaskFunction } from '../../worker/load.js'
import { RecordContext } from '../../worker/record-context.js'
import type { CommandPlan } from '../plan.js'
import { isCopy, type PassData } from '../run/pass-data.js'
import { passTask } from '../run/pass-task.js'
import { FileBody } from './file-body.js'

const STANDARD_OUTPUT = 1
/** Results become bytes when they are this long together, in UTF-16 units. */
const MIN_LENGTH = 64 * 1024

type Waiting = Promise<void> | undefined

export class HereRun {
  /** How many results were given. */
  given = 0
  /** How many items have failed. */
  failed = 0
  /** The item that has ended the run. */
  failure: Failure | undefined
  readonly #skipsErrors: boolean
  readonly #formatter: RecordFormatter
  readonly #layout: OutputLayout
  readonly #body = new FileBody(STANDARD_OUTPUT)
  readonly #output: RecordOutput
  readonly #passes: Pass[] = []
  readonly #controller = new AbortController()
  /** How many results may follow. */
  #left: number

  constructor({ faults, input, output }: CommandPlan) {
    this.#skipsErrors = faults.skipErrors
    this.#left = input.head ?? Infinity
    const format = formatOf(output.format)
    this.#formatter = new RecordFormatter(format)
    this.#layout = new OutputLayout(format)
    this.#output = new RecordOutput(this.#layout, this.#body)
    rememberEnd(this, this)
  }

  /** How many items were read. */
  get read(): number {
    return this.#passes[0]?.count ?? 0
  }

  /**
   * Settles when all results are written.
   *
   * @throws The error of the item that has ended the run, of the source, or of the output. What came before is written.
   */
  async run(passes: readonly PassData[], source: Source<unknown>): Promise<void> {
    for (const data of passes) this.#passes.push(await passOf(data))
    const reader = openBatches(source)
    if (reader === undefined) throw new Error('An input of a command line gives batches')
    try {
      await this.#readAll(reader)
    } catch (error) {
      this.#controller.abort(error)
      await reader.close()
      this.#write()
      this.#body.write()
      throw error
    }
    this.#write()
    await this.#output.drain()
  }

  async #readAll(reader: BatchReader): Promise<void> {
    while (this.#left > 0) {
      const batch = await reader.next(Infinity)
      if (batch === undefined) return
      const items = batch.values()
      for (let at = 0; at < items.length && this.#left > 0; at++) {
        const waiting = this.#take(0, items[at], { batch, at })
        if (waiting !== undefined) await waiting
      }
      batch.release()
    }
    await reader.close()
  }

  /** Takes an item through the pass with this number, and its results through those after it. */
  #take(number: number, item: unknown, from?: ItemPlace): Waiting {
    const pass = this.#passes[number]
    if (pass === undefined) throw new Error(`There is no pass with number ${number}`)
    const index = pass.count++
    const context = pass.takesContext ? new HereContext(this.#controller.signal, index, from) : undefined
    let results: unknown
    try {
      if (item instanceof BadRecord) throw item.error
      results = pass.run(item, context)
    } catch (error) {
      this.#fail(error, pass, index, from)
      return undefined
    }
    if (!isThenable(results)) return this.#give(number, pass.isCopy ? [results] : (results as unknown[]), index, from)
    // It may take long: what there is goes on.
    this.#write()
    this.#body.write()
    return Promise.resolve(results as PromiseLike<unknown[]>).then(
      (settled) => this.#give(number, settled, index, from),
      (error: unknown) => {
        this.#fail(error, pass, index, from)
      },
    )
  }

  /** Gives the results of an item to the next pass, or else to the output. */
  #give(number: number, results: readonly unknown[], index: number, from: ItemPlace | undefined): Waiting {
    if (number + 1 < this.#passes.length) return this.#takeEach(number + 1, results, 0)
    const pass = this.#passes[number]
    const given = Math.min(results.length, this.#left)
    const refused = this.#format(results, given, index)
    if (refused !== undefined && pass !== undefined) this.#fail(refused.error, pass, index, from)
    else {
      this.given += given
      this.#left -= given
    }
    if (this.#formatter.length >= MIN_LENGTH) this.#write()
    return undefined
  }

  #takeEach(number: number, items: readonly unknown[], start: number): Waiting {
    for (let at = start; at < items.length && this.#left > 0; at++) {
      const waiting = this.#take(number, items[at])
      if (waiting !== undefined) return waiting.then(() => this.#takeEach(number, items, at + 1))
    }
    return undefined
  }

  /**
   * @param given How many of them are written.
   * @returns The error of a result that the format cannot take. Then none of them is written.
   */
  #format(results: readonly unknown[], given: number, index: number): { readonly error: unknown } | undefined {
    const before = this.#formatter.count
    try {
      for (const result of results) this.#formatter.add(result, index)
    } catch (error) {
      this.#formatter.truncate(before)
      return { error }
    }
    if (!this.#layout.mayRefuse) {
      this.#formatter.truncate(before + given)
      return undefined
    }
    // Whether it fits shows when it is settled.
    const { records, errors } = this.#layout.settle(this.#formatter.take(), () => index)
    const [error] = errors?.values() ?? []
    if (error !== undefined) return { error }
    this.#output.add(given < records.length ? records.slice(0, given) : records)
    return undefined
  }

  /** Hands over the results that have been formatted. */
  #write(): void {
    if (this.#formatter.count > 0) this.#output.add(this.#formatter.take())
  }

  #fail(error: unknown, { id: task }: Pass, index: number, from: ItemPlace | undefined): void {
    this.failed++
    if (this.#skipsErrors) return
    const { file, record, line, offset } = from?.batch.placeOf?.(from.at) ?? {}
    this.failure = { index, task, worker: 0, attempts: 1, ...(record !== undefined && { file, record, line, offset }) }
    noteFailure(error, this.failure)
    throw error
  }
}

interface Pass {
  readonly id: string
  /** Gives the results for an item; a copy gives the item itself. */
  readonly run: TaskFunction
  readonly isCopy: boolean
  readonly takesContext: boolean
  /** How many items it has got. */
  count: number
}

async function passOf(data: PassData): Promise<Pass> {
  const run = await passTask(data)
  return { id: data.id, run, isCopy: isCopy(data), takesContext: takesContext('map', run), count: 0 }
}

/** Where an item of the input is. */
interface ItemPlace {
  readonly batch: Batch
  readonly at: number
}

class HereContext extends RecordContext {
  readonly signal: AbortSignal
  readonly index: number
  readonly worker = 0
  readonly #from: ItemPlace | undefined

  constructor(signal: AbortSignal, index: number, from: ItemPlace | undefined) {
    super()
    this.signal = signal
    this.index = index
    this.#from = from
  }

  protected override get place(): Place | undefined {
    return this.#from?.batch.placeOf?.(this.#from.at)
  }
}

function formatOf(format: CommandPlan['output']['format'] = 'text'): OutputFormat {
  if (format === 'parquet') throw new Error('Parquet is not written on this thread: see small.ts')
  if (format !== 'csv' && format !== 'tsv') return { kind: format }
  return { kind: 'csv', delimiter: format === 'csv' ? ',' : '\t', columns: undefined, escapeFormulas: false }
}
