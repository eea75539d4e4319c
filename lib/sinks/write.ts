/** The sink that writes results to a file or a stream. */
import { received, typeError } from '../errors.js'
import { withEndOf } from '../failure.js'
import { OutputLayout } from '../formats/output-layout.js'
import { joinPipeline } from '../io/pipeline.js'
import { closeQuietly } from '../io/close-with-timeout.js'
import { closeUnopened, type Source } from '../io/source.js'
import { isAbortSignal } from '../options.js'
import { assertSource } from '../verbs/arguments.js'
import type { Sink } from '../verbs/reduce.js'
import { asStage } from '../verbs/stage.js'
import { AtomicFile, type FileOptions } from './atomic-file.js'
import { withCheckpointPath } from '../resume/checkpoint-error.js'
import { Checkpoints } from '../resume/checkpoints.js'
import type { WriteCounts } from '../resume/run-counts.js'
import { InputFiles } from '../disk/input-files.js'
import { Device, isDevicePath } from './device.js'
import { traceSource, type SourceTrace } from './origin.js'
import { SingleOutput, type Outputs, type WrittenFile } from './outputs.js'
import { PartitionedOutput } from './partitioned-output.js'
import { RotatedOutput } from './rotated-output.js'
import { numberedPath } from './rotation.js'
import { showRun } from './shown-run.js'
import { NodeTarget, WebTarget } from './stream-targets.js'
import type { ByteTarget } from './target.js'
import { ACTION, planWrite, type WriteOptions, type WritePlan, type WriteTarget } from './write-options.js'
import { WriteRun } from './write-run.js'

/** What `write()` has done. */
export interface WriteResult extends WriteCounts {
  /** The files that were written; none for a stream. */
  readonly files: readonly WrittenFile[]
  /** Whether it went on where an earlier run had stopped. */
  readonly resumed: boolean
  /** True if the reader of the standard output left before the end, as `head` does. */
  readonly closedEarly?: true
}

/**
 * Writes results to a file or a stream, and resolves when all of them are there. The last part of a `pipe`.
 *
 * **Files appear whole or not at all.** The output is written to `NAME.part` in the same folder, synced and renamed.
 * Until then, a reader sees the old file. After an error or an abort, the `.part` file is removed, and the old file is
 * untouched. A file that is also an input is refused. Missing folders are created. Pipes and devices are written
 * directly.
 *
 * **Formats.** Text has a string on each line. NDJSON has JSON on each line. CSV and TSV have the columns of the first
 * record, or of `columns`. Fields are quoted only where that is needed. JSON is one array. Parquet has typed columns, and
 * needs the package `hyparquet-writer`. Results of workers are formatted in these workers, and their bytes come back. An item that the format cannot take fails like an item whose
 * task throws: the option `errors` of the last stage decides. Without a stage, the writing fails.
 *
 * **Several files.** `partition` writes a file for each key. A path with `{name}`, `{dir}` or `{index}` is a template. It
 * writes a file for each input file: these stand for its name, its folder and its number. `rotate` begins a new file
 * after this many bytes, and `{n}` stands for its number.
 *
 * **Compression.** Members of 4 MiB of text are compressed side by side in the thread pool of Node. Every program that
 * reads gzip or zstd reads them. The bytes do not depend on the number of workers or the chunksize.
 *
 * It reads nothing while two buffers of 512 KiB wait to be written. For compressed output it also holds a member for
 * each core, four at most. For Parquet it holds the rows of a row group: 32 MiB at most.
 *
 * @param target A path, a `file:` URL, or a stream that takes bytes: a Node `Writable` or a web `WritableStream`. A
 * stream is ended, except `process.stdout` and `process.stderr`.
 * @param options `format` and `compress` (default: by the suffixes of the path). `columns` (default: the keys of the first
 * record), `types` (default: those of the first values), `rowGroup` (default 50,000), `escapeFormulas` (default false). `partition` and `rotate` (default: one file), `overwrite` (default true).
 * `progress` (default false), `report` (default: none), `signal`.
 * @returns A function from a source to the promise of a `WriteResult`. The source is any iterable or async iterable.
 * @throws {TypeError | RangeError | MillraceError} At the call: `ERR_INVALID_ARGUMENTS`, `ERR_INVALID_OPTION`. For
 * Parquet also `ERR_MISSING_PACKAGE`, and `ERR_NOT_RESUMABLE` with `resume`. The promise rejects with
 * an error of the source or of the system, with an `OutputError`, and with the reason of an aborted `signal`. If the
 * reader of `process.stdout` leaves, that is no error: the source is closed, and the result has `closedEarly`.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { imap, isMainThread, pipe, task, write } from 'millrace'
 *
 * const total = task(import.meta.url, 'total', (row: { name: string; net: number }) => ({ ...row, gross: row.net * 1.2 }))
 *
 * if (isMainThread) {
 *   const rows = [{ name: 'tea', net: 10 }, { name: 'salt, fine', net: 5 }]
 *   const { written, files } = await pipe(rows, imap(total), write('out/totals.csv'))
 *   console.log(written, files[0]?.path)
 *   // → 2 out/totals.csv
 *   console.log(await readFile('out/totals.csv', 'utf8'))
 *   // → name,net,gross
 *   // → tea,10,12
 *   // → "salt, fine",5,6
 * }
 * ```
 */
export function write(target: WriteTarget, options?: WriteOptions): Sink<unknown, WriteResult> {
  const plan = planWrite(target, options)
  const sink: Sink<unknown, WriteResult> = (source, context) => {
    assertSource(ACTION, source)
    const trace = traceSource(source)
    if (plan.byFile && !trace.mayKnowFiles) throw templateError(source)
    const pipeline = isAbortSignal(context?.signal) ? context.signal : undefined
    if (pipeline !== undefined) joinPipeline(pipeline, source)
    return withEndOf(
      showRun(plan.shown, source, () => writeTo(plan, source, trace, pipeline)),
      source,
    )
  }
  const { path = 'a stream' } = plan.target as { readonly path?: string }
  return asStage(sink, 'write', path)
}

async function writeTo(
  plan: WritePlan,
  source: Source<unknown>,
  trace: SourceTrace,
  pipeline: AbortSignal | undefined,
): Promise<WriteResult> {
  const { resume, target } = plan
  if (resume === undefined || !('path' in target)) return await writeOnce(plan, source, trace, pipeline)
  if (await isDevicePath(target.path)) throw deviceError(target.path)
  let checkpoints: Checkpoints
  try {
    const bytesRead = (): number => trace.counts().bytesRead
    checkpoints = await Checkpoints.open(target.path, resume, source, plan.comparable, bytesRead)
  } catch (error) {
    await closeQuietly({ close: () => closeUnopened(source) })
    throw error
  }
  try {
    const { ended } = checkpoints
    if (ended === undefined) return await writeOnce(plan, source, trace, pipeline, checkpoints)
    // An earlier run has written all.
    await closeQuietly({ close: () => closeUnopened(source) })
    await checkpoints.publish(ended, { overwrite: plan.overwrite, inputs: new InputFiles(trace.paths) })
    return { ...ended.counts, files: ended.files as readonly WrittenFile[], resumed: true }
  } catch (error) {
    throw withCheckpointPath(error, resume.checkpoint)
  } finally {
    await checkpoints.release()
  }
}

/** @param checkpoints Set if the run goes on where an earlier one was, or a later one can. */
async function writeOnce(
  plan: WritePlan,
  source: Source<unknown>,
  trace: SourceTrace,
  pipeline: AbortSignal | undefined,
  checkpoints?: Checkpoints,
): Promise<WriteResult> {
  const started = performance.now() - (checkpoints?.before.duration ?? 0)
  const { pathsOf, overwrite, compression, rotate } = plan
  const layout = new OutputLayout(plan.createFormat(), plan.partitionOf)
  const signals = [plan.signal, pipeline].filter((signal) => signal !== undefined)
  const files = { overwrite, inputs: new InputFiles(trace.paths), kept: checkpoints?.request }
  const target = await createTarget(plan, files)
  const before = await checkpoints?.outputs()
  const createOutputs = (onFail: (error: unknown) => void): Outputs => {
    if (pathsOf !== undefined) {
      const options = { ...files, pathOf: pathsOf(trace), compression, created: checkpoints?.created }
      return new PartitionedOutput(layout, options, onFail)
    }
    if (rotate === undefined || target.path === undefined) return new SingleOutput(target, layout, compression, onFail)
    const { path } = target
    const pathOf = (number: number): string => numberedPath(path, number)
    return new RotatedOutput(
      layout,
      { ...files, pathOf, compression, limit: rotate, created: checkpoints?.created },
      onFail,
    )
  }
  const goneOn = (onFail: (error: unknown) => void): Outputs => {
    const outputs = createOutputs(onFail)
    if (before !== undefined) outputs.restore(before.state, before.rests)
    return outputs
  }
  const run = new WriteRun(source, { signals, pipeline }, layout, goneOn, checkpoints)
  const counts = (): WriteCounts => {
    const { read = run.read, skipped, rejected, bytesRead } = trace.counts()
    const { records, bytes } = run.outputs
    const duration = performance.now() - started
    return { read, written: records, rejected, skipped, bytesRead, bytesWritten: bytes, duration }
  }
  checkpoints?.start(counts, run.fail)
  const isWhole = await run.run()
  await checkpoints?.publish({ counts: counts(), files: run.outputs.files }, files)
  return {
    ...counts(),
    files: run.outputs.files,
    resumed: before !== undefined,
    ...(!isWhole && { closedEarly: true as const }),
  }
}

function deviceError(path: string): TypeError {
  return typeError(
    'ERR_INVALID_OPTION',
    `Cannot ${ACTION} as option 'resume' must be left out for a device: received '${path}' (it is for files)`,
  )
}

function templateError(source: object): TypeError {
  return typeError(
    'ERR_INVALID_SOURCE',
    `Cannot ${ACTION} as the target is a template, and the source must know the file of each item: ` +
      `received ${received(source)} (read files by csv(), ndjson(), json() or lines(), with at most one stage between)`,
  )
}

async function createTarget({ target }: WritePlan, files: FileOptions): Promise<ByteTarget> {
  if ('node' in target) return new NodeTarget(target.node)
  if ('web' in target) return new WebTarget(target.web)
  const { path } = target
  return (await isDevicePath(path)) ? new Device(path) : new AtomicFile(path, files)
}
