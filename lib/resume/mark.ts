/**
 * How a pipeline can go on where an earlier run was. The sink asks for a mark. The source puts it between two of its
 * batches, and each stage passes it on behind the results of all items before it. So a mark that reaches the sink is an
 * exact cut: the outcomes of everything before it have come, and of nothing behind it. On the way, each part of the
 * pipeline notes what it needs to go on from there. This is the method of Chandy and Lamport (1985), for a line of parts.
 */
import { Items } from '../codec/batch.js'

/** A value that can be stored as JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/** A batch without values, which stands between two others. */
export class Mark extends Items {
  /** What the parts have noted that it has passed. */
  readonly notes: Map<ResumePoint, Json> = new Map<ResumePoint, Json>()

  constructor() {
    super([])
  }
}

/** How a sink asks the source of its pipeline for a mark. */
export class MarkRequest {
  /** Whether there may be a checkpoint that a later run can go on from: then unfinished files stay after an error. */
  hasCheckpoint = false
  #isDue = false
  #wake: (() => void) | undefined
  readonly #remarks: string[] = []

  /** What is to be told to the user, such as an input that has grown since. */
  get remarks(): readonly string[] {
    return this.#remarks
  }

  remark(text: string): void {
    this.#remarks.push(text)
  }

  /** Asks for a mark: the source gives one before its next batch. Not to be called again before that has come to the sink. */
  ask(): void {
    this.#isDue = true
    this.#wake?.()
  }

  /** Whether a mark is to be given now. */
  get isDue(): boolean {
    return this.#isDue
  }

  /** For the source: the mark that was asked for, once. */
  take(): Mark | undefined {
    if (!this.#isDue) return undefined
    this.#isDue = false
    return new Mark()
  }

  /** For the source, while it waits for data: called when a mark is asked for. One listener at a time. */
  onAsk(wake: (() => void) | undefined): void {
    this.#wake = wake
  }
}

/** A part of a pipeline that can go on where an earlier run was: a source, or a stage. */
export interface ResumePoint {
  /** What it reads. Undefined for the source of the pipeline. */
  readonly source: object | undefined
  /** What must be the same in a run that goes on. Not: workers, chunksize, window, timeouts. */
  readonly plan: Json
  /** The code that it runs: a hash of each module or function, by its name. */
  code?(): Promise<Readonly<Record<string, string>>>
  /**
   * To be called once, before the first read. From then on the part can only be read in batches, and passes on marks.
   *
   * @param note What was stored of it. Undefined: it begins at the start.
   * @returns Settles when it can be read. Rejects with a `CheckpointError` if it cannot go on from there.
   */
  begin(request: MarkRequest, note: Json | undefined): void | Promise<void>
  /** What is to be stored of a note. Default: the note. */
  seal?(note: Json): Promise<Json>
  /** Everything was read: notes on a mark what a later run needs to go on with what the inputs then have behind that. */
  noteEnd(mark: Mark): void
  /** What it had done, by a note. */
  figures?(note: Json): Figures
  /** Settles when what it has written before a note is safe on disk. */
  sync?(note: Json): Promise<void>
  /** The file of its failed items, since the first read. */
  readonly kept?: KeptFile | undefined
  /** The path of that file, at any time. */
  readonly keptPath?: string | undefined
}

/** What a stage had done before a mark. */
export interface Figures {
  /** Items of its source. */
  readonly read: number
  /** Failed items that it has left out, and those that went to a file. */
  readonly skipped: number
  readonly rejected: number
}

/** A file that a run which goes on continues. The sink publishes it, when its part has ended. */
export interface KeptFile {
  readonly path: string
  /** Its length with all that was added. */
  readonly length: number
  /** Settles when its first bytes, up to this length, are safe on disk. */
  sync(length: number): Promise<void>
}

/** Kept apart from the parts themselves: it is a matter between parts of this library. */
const points = new WeakMap<object, ResumePoint>()

/** Says that a source, or what a stage returns, can go on where an earlier run was. */
export function offerResume(part: object, point: ResumePoint): void {
  points.set(part, point)
}

export function resumePointOf(part: object): ResumePoint | undefined {
  return points.get(part)
}
