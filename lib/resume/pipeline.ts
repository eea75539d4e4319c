/** A pipeline that can go on where an earlier run was: all its parts, from the source to what the sink reads. */
import { CheckpointError, received } from '../errors.js'
import { Mark, resumePointOf, type Figures, type Json, type MarkRequest, type ResumePoint } from './mark.js'
import { joinCode } from './code.js'
import { ArrayPoint } from './list-point.js'
import { notResumableSource } from './not-resumable.js'
import { differenceOf } from './plan-difference.js'

/** What is stored of a pipeline, and must be the same when a run goes on. */
export interface PipelinePlan {
  readonly plan: Json
  /** The hashes of the code of its tasks, by name. */
  readonly code: Readonly<Record<string, string>>
}

export class ResumablePipeline {
  /** The source first. */
  readonly points: readonly ResumePoint[]

  /**
   * @param end What the sink reads.
   * @throws CheckpointError `ERR_NOT_RESUMABLE`: a part of it can only begin at its start.
   */
  constructor(end: object) {
    const points: ResumePoint[] = []
    for (let part: object | undefined = end; part !== undefined;) {
      const point: ResumePoint | undefined =
        resumePointOf(part) ?? (Array.isArray(part) ? new ArrayPoint(part) : undefined)
      if (point === undefined) throw notResumableSource(part)
      points.unshift(point)
      part = point.source
    }
    this.points = points
  }

  /** @param sink What must be the same of the sink. */
  async plan(sink: PipelinePlan): Promise<PipelinePlan> {
    const [source, ...stages] = this.points
    const codes = await Promise.all(this.points.map(async (point) => (await point.code?.()) ?? {}))
    return {
      // As it is stored.
      plan: JSON.parse(
        JSON.stringify({ source: source?.plan, stages: stages.map(({ plan }) => plan), sink: sink.plan }),
      ) as Json,
      code: joinCode([...codes, sink.code]),
    }
  }

  /** Lets all parts begin, at their notes if there are any. */
  async begin(request: MarkRequest, notes: readonly Json[] | undefined): Promise<void> {
    for (const [at, point] of this.points.entries()) await point.begin(request, notes?.[at])
  }

  /** A mark behind everything, once all that the pipeline gives has been read. It asks no part for anything. */
  endMark(): Mark {
    const mark = new Mark()
    for (const point of this.points) point.noteEnd(mark)
    return mark
  }

  /** What all stages had done before a mark; undefined if there is none. */
  figures(notes: ReadonlyMap<ResumePoint, Json>): Figures | undefined {
    const all = this.points.flatMap((point) => point.figures?.(notes.get(point) ?? null) ?? [])
    const [first] = all
    return (
      first && {
        read: first.read,
        skipped: all.reduce((sum, { skipped }) => sum + skipped, 0),
        rejected: all.reduce((sum, { rejected }) => sum + rejected, 0),
      }
    )
  }

  /** What is stored of the notes on a mark. Settles when it is, too, safe on disk. */
  async seal(notes: ReadonlyMap<ResumePoint, Json>): Promise<Json[]> {
    return await Promise.all(
      this.points.map(async (point) => {
        const note = notes.get(point) ?? null
        await point.sync?.(note)
        return point.seal === undefined ? note : await point.seal(note)
      }),
    )
  }
}

/** The plans of two runs that are not the same. */
export interface ComparedPlans {
  readonly before: PipelinePlan
  readonly now: PipelinePlan
}

/** By the error that tells it. */
const compared = new WeakMap<object, ComparedPlans>()

/** What an error of `assertSamePlan()` is about; undefined for all others. */
export function comparedPlansOf(error: unknown): ComparedPlans | undefined {
  return compared.get(Object(error) as object)
}

/**
 * Checks that a run does what the earlier one has done.
 *
 * @param name Of what is stored, for errors.
 * @throws CheckpointError `ERR_CHECKPOINT_PLAN`, `ERR_CHECKPOINT_CODE`.
 */
export function assertSamePlan(name: string, before: PipelinePlan, now: PipelinePlan, allowChangedCode: boolean): void {
  const fail = (text: string, code: CheckpointError['code']): never => {
    const error = new CheckpointError(`Cannot go on from ${name} as ${text} or remove ${name} to begin anew)`, code)
    compared.set(error, { before, now })
    throw error
  }
  const difference = differenceOf(before.plan, now.plan)
  if (difference !== undefined) {
    const { where, before: one, now: other } = difference
    fail(
      'the run must have the same stages and options: ' +
        `'${where}' was ${received(one)}, and is ${received(other)} (run it as before,`,
      'ERR_CHECKPOINT_PLAN',
    )
  }
  const changed = changedCode(before, now)
  if (changed === undefined || allowChangedCode) return
  fail(
    `the code of its tasks must be the same: '${changed}' has changed ` +
      '(if the results stay the same, say allowChangedCode: true;',
    'ERR_CHECKPOINT_CODE',
  )
}

/** The name of code that is not the same; undefined if all is. */
export function changedCode(before: PipelinePlan, now: PipelinePlan): string | undefined {
  return Object.keys(now.code).find((key) => before.code[key] !== now.code[key])
}
