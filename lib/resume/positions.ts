/**
 * The positions of a run in a store of the user's, such as a database. They are what a checkpoint is for files. The user's
 * function writes each of them together with the results that belong to it.
 */
import { randomUUID } from 'node:crypto'
import { CheckpointError } from '../errors.js'
import type { WholeFile } from '../disk/publication.js'
import { MILLRACE_VERSION } from '../version.js'
import { checkpointText, parseCheckpoint, type Checkpoint } from './checkpoint-text.js'
import { RunLock } from './lock.js'
import { MarkRequest, type Json, type Mark } from './mark.js'
import { assertSamePlan, ResumablePipeline, type PipelinePlan } from './pipeline.js'
import { NOTHING_COMMITTED, type CommitCounts } from './run-counts.js'

/** What an error calls it. */
const NAME = 'the stored position'
const SINK: PipelinePlan = { plan: { verb: 'commit' }, code: {} }

/** A place between two items, up to which all is done. */
export interface Place {
  readonly points: readonly Json[]
  /** Whether there is anything behind it. */
  readonly state: Checkpoint['state']
  /** The files of failed items that do not have their names yet. */
  readonly rejects: readonly WholeFile[]
}

export class Positions {
  /** Asks for marks. It also says whether a later run can go on with the unfinished files of this one. */
  readonly request: MarkRequest = new MarkRequest()
  /** As the store has it. Null: it has none. */
  last: string | null
  /** What an earlier run has done. Undefined: there was none. */
  readonly before: { readonly place: Place; readonly counts: CommitCounts } | undefined
  readonly #pipeline: ResumablePipeline
  readonly #plan: PipelinePlan
  readonly #run: string
  readonly #locks: readonly RunLock[]

  private constructor(
    last: string | null,
    stored: Checkpoint | undefined,
    pipeline: ResumablePipeline,
    plan: PipelinePlan,
    locks: readonly RunLock[],
  ) {
    this.last = last
    this.before = stored && beforeOf(stored)
    this.#pipeline = pipeline
    this.#plan = plan
    this.#run = stored?.run ?? randomUUID()
    this.#locks = locks
    this.request.hasCheckpoint = stored?.state === 'running'
  }

  /**
   * Looks at the position that the store has. The files of failed items are locked first, so that no other run writes them.
   *
   * @param read Gives the position; null: there is none.
   * @throws CheckpointError
   */
  static async open(source: object, read: () => Promise<string | null>, allowChangedCode: boolean): Promise<Positions> {
    const pipeline = new ResumablePipeline(source)
    const locks = await lockAll(pipeline.points.flatMap(({ keptPath }) => keptPath ?? []))
    try {
      const plan = await pipeline.plan(SINK)
      const text = await read()
      const stored = text === null ? undefined : parseCheckpoint(text, refusal)
      if (stored !== undefined) assertSamePlan(NAME, stored as unknown as PipelinePlan, plan, allowChangedCode)
      return new Positions(text, stored, pipeline, plan, locks)
    } catch (error) {
      await releaseAll(locks)
      throw error
    }
  }

  /** Lets the pipeline begin where it was. Inputs are checked. */
  async beginPipeline(): Promise<void> {
    await this.#pipeline.begin(this.request, this.before?.place.points)
  }

  /** What is stored of a mark. Settles when the failed items before it are safe on disk. */
  async placeAt(mark: Mark): Promise<Place> {
    return { state: 'running', points: await this.#pipeline.seal(mark.notes), rejects: [] }
  }

  /** A mark behind everything, when all was read. */
  endMark(): Mark {
    return this.#pipeline.endMark()
  }

  /** Behind everything: to be called when the files of failed items are whole. */
  async placeAtEnd(mark: Mark): Promise<Place> {
    const { points } = await this.placeAt(mark)
    const kept = this.#pipeline.points.flatMap(({ kept }) => kept ?? [])
    return { state: 'complete', points, rejects: kept.map(({ path, length }) => ({ path, bytes: length })) }
  }

  /** What the stages had done before a mark. */
  figures(mark: Mark): Partial<CommitCounts> {
    return this.#pipeline.figures(mark.notes) ?? {}
  }

  /** As it is to be stored. */
  textOf({ state, points, rejects }: Place, counts: CommitCounts): string {
    return checkpointText({
      run: this.#run,
      millrace: MILLRACE_VERSION,
      ...this.#plan,
      state,
      points,
      outputs: null,
      rejects: rejects.map(({ path, bytes }) => ({ path, bytes })),
      counts: { ...counts },
    })
  }

  /** Another run may begin. */
  async release(): Promise<void> {
    await releaseAll(this.#locks)
  }
}

function beforeOf({ state, points, rejects, counts }: Checkpoint): Positions['before'] {
  const place = { state, points, rejects: rejects as unknown as readonly WholeFile[] }
  return { place, counts: { ...NOTHING_COMMITTED, ...(counts as Partial<CommitCounts>) } }
}

async function lockAll(paths: readonly string[]): Promise<RunLock[]> {
  const locks: RunLock[] = []
  try {
    for (const path of paths) locks.push(await RunLock.take(`${path}.lock`, path))
    return locks
  } catch (error) {
    await releaseAll(locks)
    throw error
  }
}

async function releaseAll(locks: readonly RunLock[]): Promise<void> {
  await Promise.all(locks.map((lock) => lock.release()))
}

function refusal(code: CheckpointError['code'], reason: string, cure: string, options?: ErrorOptions): CheckpointError {
  return new CheckpointError(`Cannot go on from ${NAME} as ${reason} (${cure})`, code, options)
}
