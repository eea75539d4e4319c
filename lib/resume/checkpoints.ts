/**
 * The checkpoints of one run of a sink. It makes one of each mark that arrives, while the stream goes on. At the end it
 * publishes the files in an order that a crash at any place survives.
 */
import { randomUUID } from 'node:crypto'
import { currentProcess } from '../identity.js'
import { runResumed } from '../log/events.js'
import type { InputFiles } from '../disk/input-files.js'
import { publishFiles, type WholeFile } from '../disk/publication.js'
import { MILLRACE_VERSION } from '../version.js'
import { CheckpointFile } from './checkpoint-file.js'
import type { Checkpoint } from './checkpoint-text.js'
import { CreatedFiles } from './created-files.js'
import { RunLock } from './lock.js'
import { MarkRequest, type Json, type Mark } from './mark.js'
import { MarkSchedule } from './mark-schedule.js'
import type { ResumeSettings } from './options.js'
import { assertSamePlan, ResumablePipeline, type PipelinePlan } from './pipeline.js'
import { NOTHING_WRITTEN, type WriteCounts } from './run-counts.js'

/** What a run that has ended tells. */
export interface EndedRun {
  readonly counts: WriteCounts
  readonly files: readonly WholeFile[]
  /** The value of a run that gives one. */
  readonly value?: Json | undefined
}

/** A cut through what a run has made. */
export interface Cut {
  /** Settles when it is safe on disk. @returns Its state, and texts that belong to it, for the checkpoint. */
  safe(): Promise<{ readonly state: Json; readonly rests: readonly Uint8Array[] }>
}

export class Checkpoints {
  /** The checkpoint of an earlier run, which this run goes on from. */
  readonly stored: Checkpoint | undefined
  /** It says whether there is a checkpoint, of this run or of an earlier one. */
  readonly request: MarkRequest = new MarkRequest()
  /** When marks are asked for. */
  readonly marks: MarkSchedule
  readonly #settings: ResumeSettings
  readonly #pipeline: ResumablePipeline
  readonly #plan: PipelinePlan
  /** The list of the files that the run has made. */
  readonly created: CreatedFiles
  readonly #file: CheckpointFile
  readonly #lock: RunLock
  readonly #run: string
  #counts: () => WriteCounts = () => NOTHING_WRITTEN
  #onFail: (error: unknown) => void = noop
  #committing: Promise<void> | undefined
  /** Of the first checkpoint that could not be made. */
  #failure: { readonly error: unknown } | undefined
  /** The files of failed items, once all is complete. */
  #rejects: readonly WholeFile[] | undefined

  private constructor(
    settings: ResumeSettings,
    pipeline: ResumablePipeline,
    plan: PipelinePlan,
    file: CheckpointFile,
    lock: RunLock,
    stored: Checkpoint | undefined,
    bytesRead: () => number,
  ) {
    this.#settings = settings
    this.#pipeline = pipeline
    this.#plan = plan
    this.#file = file
    this.created = new CreatedFiles(file.path)
    this.#lock = lock
    this.marks = new MarkSchedule(this.request, settings, bytesRead)
    this.stored = stored
    this.#run = stored?.run ?? randomUUID()
    this.request.hasCheckpoint = stored !== undefined
    if (stored?.state === 'complete') this.#rejects = stored.rejects as unknown as WholeFile[]
  }

  /**
   * Takes the lock of the output, and reads the checkpoint of an earlier run.
   *
   * @param path What the lock is for: the output, or the checkpoint itself.
   *
   * @param sink What must be the same of the sink.
   * @param bytesRead How many bytes of the input have been read.
   */
  static async open(
    path: string,
    settings: ResumeSettings,
    source: object,
    sink: PipelinePlan,
    bytesRead: () => number,
  ): Promise<Checkpoints> {
    const pipeline = new ResumablePipeline(source)
    const { checkpoint } = settings
    const lock = await RunLock.take(`${path}.lock`, path)
    try {
      const file = new CheckpointFile(checkpoint)
      const [stored, plan] = await Promise.all([file.read(), pipeline.plan(sink)])
      if (stored !== undefined)
        assertSamePlan(`'${checkpoint}'`, stored as unknown as PipelinePlan, plan, settings.allowChangedCode)
      const checkpoints = new Checkpoints(settings, pipeline, plan, file, lock, stored, bytesRead)
      if (checkpoints.ended !== undefined) checkpoints.#tell()
      return checkpoints
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** What the runs before have done. */
  get before(): WriteCounts {
    return { ...NOTHING_WRITTEN, ...(this.stored?.counts as Partial<WriteCounts> | undefined) }
  }

  /** Whether an earlier run has written all. Only its files may not have their names yet. */
  get ended(): EndedRun | undefined {
    const { stored } = this
    if (stored?.state !== 'complete') return undefined
    return { ...(stored.outputs as unknown as EndedRun), counts: this.before }
  }

  /** The state of the outputs, and the texts that belong to it; undefined: they begin anew. */
  async outputs(): Promise<{ readonly state: Json; readonly rests: Uint8Array } | undefined> {
    const { stored } = this
    return stored && { state: stored.outputs, rests: await this.#file.readRests(stored) }
  }

  /** Lets the pipeline begin where it was. Inputs are checked. */
  async beginPipeline(): Promise<void> {
    await this.#pipeline.begin(this.request, this.stored?.points)
    if (this.stored !== undefined) this.#tell()
  }

  /**
   * From now on, marks are asked for.
   *
   * @param counts Of the outcomes that have come.
   * @param onFail Called when a checkpoint cannot be made.
   */
  start(counts: () => WriteCounts, onFail: (error: unknown) => void): void {
    this.#counts = counts
    this.#onFail = onFail
    this.marks.start()
  }

  /**
   * A mark has come: makes a checkpoint.
   *
   * @param cut What was made up to here.
   * @returns Settles when the run may go on. The checkpoint is still made then.
   */
  async take(mark: Mark, cut: () => Cut): Promise<void> {
    // The last mark does not wait for the checkpoint before.
    await this.#committing
    this.marks.arrived()
    // From now on there may be one: a stream that fails meanwhile must not remove its file of failed items.
    this.request.hasCheckpoint = true
    this.#committing = this.#commit(mark, cut(), { ...this.#counts(), ...this.#pipeline.figures(mark.notes) })
      .catch((error: unknown) => {
        this.#failure ??= { error }
        this.#onFail(error)
      })
      .finally(() => {
        this.#committing = undefined
        this.marks.handled()
      })
  }

  /** Settles when the checkpoint under way is made, or has failed. */
  async settle(): Promise<void> {
    await this.#committing
  }

  #tell(): void {
    const { name, pid } = currentProcess()
    const { read: items, skipped, rejected } = this.before
    const { checkpoint } = this.#settings
    runResumed({ name, pid, checkpoint, items, failed: skipped + rejected, remarks: this.request.remarks })
  }

  /** All outcomes are there, and safe: a run that goes on from here only publishes. Nothing, if that was so before. */
  async complete(run: EndedRun): Promise<void> {
    this.marks.stop()
    await this.#committing
    // What could not be made safe once may be lost, though a later attempt succeeds.
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#rejects !== undefined) return
    const kept = this.#pipeline.points.flatMap((point) => point.kept ?? [])
    this.#rejects = kept.map(({ path, length }) => ({ path, bytes: length }))
    // What fails from now on must not remove them.
    this.request.hasCheckpoint = true
    await this.#file.publish({
      ...this.#content(run.counts),
      state: 'complete',
      points: [],
      outputs: { files: run.files, value: run.value } as unknown as Json,
      rejects: this.#rejects as unknown as Json,
    })
  }

  /** Publishes the files of a run that is complete. Of the earlier run, if that had come so far. */
  async publish(run: EndedRun, files: { readonly overwrite: boolean; readonly inputs: InputFiles }): Promise<void> {
    await this.complete(run)
    await publishFiles(run.files, files)
    await publishFiles(this.#rejects ?? [], { ...files, overwrite: true }, 'rejects')
    await this.created.remove()
    await this.#file.remove()
    this.request.hasCheckpoint = false
  }

  /** Another run may use the output. */
  async release(): Promise<void> {
    this.marks.stop()
    await this.created.close()
    await this.#lock.release()
  }

  async #commit(mark: Mark, cut: Cut, counts: WriteCounts): Promise<void> {
    const [{ state, rests }, points] = await Promise.all([cut.safe(), this.#pipeline.seal(mark.notes)])
    await this.#file.publish(
      { ...this.#content(counts), state: 'running', points, outputs: state, rejects: null },
      rests,
    )
  }

  #content(counts: WriteCounts): Pick<Checkpoint, 'run' | 'millrace' | 'plan' | 'code' | 'counts'> {
    return { run: this.#run, millrace: MILLRACE_VERSION, ...this.#plan, counts: { ...counts } }
  }
}

function noop(): void {
  // Nobody has started it.
}
