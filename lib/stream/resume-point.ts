/**
 * How a stage goes on where an earlier run was. On a mark it notes how many items are done, and what it has given and left
 * out. Its failed items count again, and the file that they go to is continued.
 */
import { codeOfTasks, contentOf, hashOfFunction } from '../resume/code.js'
import type { Figures, Json, KeptFile, Mark, MarkRequest, ResumePoint } from '../resume/mark.js'
import type { KeptFailures } from './failure-target.js'
import type { PartReader } from './part-reader.js'
import { taskOf, type StreamPlan } from './plan.js'

/** What a stage notes on a mark. */
interface StageNote {
  /** How many items of its source are done. */
  readonly items: number
  readonly delivered: number
  readonly skipped: number
  readonly refused: number
  /** Failed items, as `maxErrors` counts them. */
  readonly failed: number
  /** The length of the file of failed items, where there is one. */
  readonly length?: number
}

const NOTHING_DONE: StageNote = { items: 0, delivered: 0, skipped: 0, refused: 0, failed: 0 }

export class StagePoint implements ResumePoint {
  readonly source: object
  readonly #plan: StreamPlan
  readonly #parts: PartReader
  #request: MarkRequest | undefined
  #note: StageNote | undefined

  constructor(plan: StreamPlan, source: object, parts: PartReader) {
    this.source = source
    this.#plan = plan
    this.#parts = parts
  }

  get plan(): Json {
    const { job, errors, maxErrors, rejectsPath } = this.#plan
    return {
      verb: job.kind,
      ordered: job.ordered,
      ...(job.spread === true && { spread: true }),
      task: contentOf(job.fn)?.plan ?? taskOf(this.#plan),
      errors: rejectsPath === undefined ? errors : { rejects: rejectsPath },
      maxErrors: maxErrors?.shown,
    }
  }

  async code(): Promise<Readonly<Record<string, string>>> {
    const { name, fn } = this.#plan.job
    const content = contentOf(fn)
    if (content !== undefined) return await content.code()
    if (name !== undefined) return await codeOfTasks([name])
    return fn === undefined ? {} : { [`function ${taskOf(this.#plan)}`]: hashOfFunction(fn) }
  }

  /** How many items are done when it starts; undefined: no marks are passed on. */
  get start(): number | undefined {
    return this.#note?.items
  }

  /** How the file of failed items is opened; undefined: as always. */
  get keptFailures(): KeptFailures | undefined {
    const [note, request] = [this.#note, this.#request]
    if (note === undefined || request === undefined) return undefined
    return {
      length: note.length ?? 0,
      count: note.failed,
      get hasCheckpoint() {
        return request.hasCheckpoint
      },
    }
  }

  get kept(): KeptFile | undefined {
    return this.#parts.failedItems.target?.kept
  }

  begin(request: MarkRequest, note: Json | undefined): void {
    this.#request = request
    const done = (note as StageNote | undefined) ?? NOTHING_DONE
    this.#note = done
    this.#parts.passMarks(done, this.#noteOn)
  }

  get keptPath(): string | undefined {
    return this.#plan.rejectsPath
  }

  /** The file of failed items is published: what comes later goes to a new one. */
  noteEnd(mark: Mark): void {
    mark.notes.set(this, this.#done())
  }

  figures(note: Json): Figures {
    const { items, skipped, failed } = note as unknown as StageNote
    const rejected = this.#plan.rejects === undefined ? 0 : failed
    return { read: items, skipped: skipped - rejected, rejected }
  }

  async sync(note: Json): Promise<void> {
    await this.kept?.sync((note as unknown as StageNote).length ?? 0)
  }

  readonly #noteOn = (mark: Mark): void => {
    const length = this.#parts.failedItems.target?.length
    mark.notes.set(this, { ...this.#done(), ...(length !== undefined && { length }) })
  }

  #done(): Omit<StageNote, 'length'> & Readonly<Record<string, Json>> {
    const { items, counts, failedItems } = this.#parts
    const { delivered, skipped, refused } = counts
    return { items, delivered, skipped, refused, failed: failedItems.count }
  }
}
