/**
 * Records a run for its report: samples figures at intervals, and looks at each part that arrives. Its memory is bounded,
 * however long the run is. It costs nothing for each item that does not fail.
 */
import { cpus, totalmem } from 'node:os'
import type { Part } from '../../executor/executor.js'
import type { InputMeter } from '../../io/input-meter.js'
import { ChunkTimes } from '../../stream/chunk-times.js'
import type { Origin, StageMeter, StreamEnd } from '../../stream/origin.js'
import type { Clock } from '../clock.js'
import { MILLRACE_VERSION } from '../../version.js'
import { Histogram } from './histogram.js'
import { Reasons, textOf } from './reasons.js'
import type { OutputFile, RunReport, StageReport } from './run-report.js'
import { placeOf, Slowest } from './slowest.js'
import { Timeline } from './timeline.js'

/** Milliseconds between the first samples. */
const FIRST_INTERVAL_MS = 100
/** The most inputs, and the most outputs, that are listed. */
const MAX_FILES = 200

/** What is known of a run that is more than its stream. */
export interface WholeRun {
  /** In milliseconds. */
  readonly duration?: number
  /** The files that it has made. */
  readonly outputs?: readonly OutputFile[]
}

export class Recorder {
  readonly #origin: Origin
  readonly #clock: Clock
  readonly #timeline = new Timeline(FIRST_INTERVAL_MS)
  readonly #latency = new Histogram()
  readonly #slowest = new Slowest()
  readonly #reasons = new Reasons()
  readonly #started = new Date()
  readonly #opened: number
  #stop: () => void
  #lastSample = -Infinity
  /** Since the last sample. */
  #arrived = 0
  #arrivedTime = 0
  #slowestTime = 0
  #chunks = 0

  constructor(origin: Origin, clock: Clock) {
    this.#origin = origin
    this.#clock = clock
    this.#opened = clock.now()
    for (const stage of origin.stages) this.#observe(stage)
    this.#stop = this.#sampleEvery(this.#timeline.interval)
  }

  /** Takes the last sample. @returns The report. */
  finish({ how, error }: StreamEnd, { duration, outputs = [] }: WholeRun = {}): RunReport {
    this.#stop()
    this.#sample()
    const { stages, input } = this.#origin
    const stats = stages.map((stage) => stage.stats())
    const sources = input?.sources ?? []
    return {
      version: 1,
      run: {
        command: [...process.argv],
        folder: process.cwd(),
        started: this.#started.toISOString(),
        duration: Math.round(duration ?? this.#elapsed ?? 0),
        end: how,
        ...(how === 'failed' && { error: textOf(error) }),
      },
      machine: {
        millrace: MILLRACE_VERSION,
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
        cpu: cpus()[0]?.model ?? '',
        cores: cpus().length,
        memory: totalmem(),
      },
      inputs: sources
        .slice(0, MAX_FILES)
        .map(({ path, read, size }) => ({ path, bytes: read, ...(size !== undefined && { size }) })),
      inputCount: sources.length,
      outputs: outputs.slice(0, MAX_FILES).map(({ path, records, bytes }) => ({ path, records, bytes })),
      outputCount: outputs.length,
      totals: {
        bytes: ownBytesOf(input),
        ...(input !== undefined && input.earlier > 0 && { bytesEarlier: input.earlier }),
        items: stages[0]?.done ?? 0,
        results: stats.at(-1)?.delivered ?? 0,
        failed: this.#failed,
        chunks: stats.reduce((sum, { chunks }) => sum + chunks, 0),
        busy: Math.min(
          1,
          stages.reduce((sum, { occupancy }) => sum + occupancy.busy, 0),
        ),
        limit: stages.at(-1)?.limit,
        peakMemory: this.#timeline.peakMemory,
      },
      stages: stages.map((stage): StageReport => {
        const { read, delivered, failed } = stage.stats()
        const { task, workers, occupancy } = stage
        return { task, workers, read, delivered, failed, busy: occupancy.busy, shares: occupancy.shares }
      }),
      samples: this.#timeline.columns(this.#workers),
      latency: {
        buckets: this.#latency.buckets,
        median: this.#latency.quantile(0.5),
        p90: this.#latency.quantile(0.9),
        p99: this.#latency.quantile(0.99),
      },
      slowest: this.#slowest.all,
      errors: this.#reasons.all,
    }
  }

  get #workers(): number {
    return Math.max(1, ...this.#origin.stages.map(({ workers }) => workers))
  }

  get #failed(): number {
    return this.#origin.stages.reduce((sum, stage) => sum + stage.failed, 0)
  }

  get #elapsed(): number | undefined {
    const { stages, input } = this.#origin
    if (stages.length > 0) return stages.at(-1)?.occupancy.elapsed
    const began = input === undefined ? this.#opened : input.began
    return began === undefined ? undefined : Math.max(0, this.#clock.now() - began)
  }

  #observe(stage: StageMeter): void {
    const times = new ChunkTimes()
    const { task } = stage
    stage.observe((part) => {
      this.#onPart(task, part, times.timeOf(part))
    })
  }

  /** @param time Of the part, in milliseconds. */
  #onPart(task: string, part: Part, time: number): void {
    const { count, errors, chunk, chunkOffsets, from, last } = part
    if (last) this.#chunks++
    if (count > 0) {
      const each = time / count
      this.#arrived += count
      this.#arrivedTime += time
      this.#slowestTime = Math.max(this.#slowestTime, each)
      if (part.time !== undefined) {
        this.#latency.add(each, count)
        this.#slowest.add(task, part, each)
      }
    }
    for (const [partOffset, error] of errors ?? []) {
      const offset = chunkOffsets?.[partOffset] ?? from + partOffset
      this.#reasons.add(task, error, chunk.first + offset, () => placeOf(chunk, offset))
    }
  }

  #sampleEvery(interval: number): () => void {
    return this.#clock.every(interval, () => {
      if (!this.#sample()) return
      this.#stop()
      this.#stop = this.#sampleEvery(this.#timeline.interval)
    })
  }

  /** @returns Whether the interval has changed. */
  #sample(): boolean {
    const elapsed = this.#elapsed
    if (elapsed === undefined || elapsed <= this.#lastSample) return false
    this.#lastSample = elapsed
    const { input, stages } = this.#origin
    const { rss, heapUsed } = process.memoryUsage()
    const sample = {
      time: elapsed,
      items: stages[0]?.done ?? 0,
      bytes: ownBytesOf(input),
      failed: this.#failed,
      computed: stages.reduce((sum, { occupancy }) => sum + occupancy.computed, 0),
      memory: rss,
      heap: heapUsed,
      arrived: this.#arrived,
      arrivedTime: this.#arrivedTime,
      slowest: this.#slowestTime,
      chunks: this.#chunks,
    }
    this.#arrived = 0
    this.#arrivedTime = 0
    this.#slowestTime = 0
    this.#chunks = 0
    return this.#timeline.add(sample)
  }
}

/** What this run has read. An earlier one may have read the first part. */
function ownBytesOf(input: InputMeter | undefined): number | undefined {
  return input && input.read - input.earlier
}
