/** The public names of `millrace`. The names of `millrace/multiprocessing` are in multiprocessing/index.ts. */
export { apply } from './verbs/apply.js'
export { batch } from './verbs/batch.js'
export {
  CheckpointError,
  InputError,
  LineError,
  MainThreadGuardError,
  MillraceError,
  NotSerializableError,
  OutputError,
  PoolClosedError,
  RecordError,
  TaskLoadError,
  TaskTimeoutError,
  WorkerCrashError,
  WorkerStartError,
  type ErrorCode,
  type RecordErrorCode,
} from './errors.js'
export { blocks, type BlocksOptions, type FileBlock, type FileBlocks } from './sources/blocks.js'
export { csv, tsv, type CsvOptions, type CsvRow } from './sources/csv.js'
export type { FieldType, FieldValue } from './sources/field-types.js'
export { fixed, type FixedColumn, type FixedOptions, type FixedRow } from './sources/fixed.js'
export type { Records } from './sources/records.js'
export { failure, type Failure } from './failure.js'
export { files, type FilesOptions } from './sources/files.js'
export { resumable, type OpenFrom, type Position, type Positioned, type Resumable } from './sources/resumable.js'
export { json, type JsonOptions } from './sources/json.js'
export type { JsonRow, NdjsonOptions, ReplayOptions } from './sources/json-kind.js'
export { ndjson } from './sources/ndjson.js'
export { parquet, type ParquetOptions, type ParquetSource, type ParquetValue } from './sources/parquet.js'
export { filter, filterUnordered } from './verbs/filter.js'
export { flatMap, flatMapUnordered } from './verbs/flat-map.js'
export { imap, imapUnordered } from './verbs/imap.js'
export type { ByteSource } from './io/bytes.js'
export { lines, type Lines, type LinesOptions } from './io/lines.js'
export type { Files } from './io/path-list.js'
export type { Source } from './io/source.js'
export { istarmap, istarmapUnordered } from './verbs/istarmap.js'
export type { Diagnostics } from './log/events.js'
export { map, starmap } from './verbs/map.js'
export type { PoolStats } from './executor/threads/thread-executor.js'
export { pipe } from './pipe.js'
export { Pool, type PoolOptions } from './pool.js'
export { progress, type ProgressOptions } from './progress/progress.js'
export { reduce } from './verbs/reduce.js'
export type { ErrorMode, Outcome, Rejects } from './stream/outcome.js'
export type { StreamStats } from './stream/plan.js'
export type { Results } from './stream/results.js'
export type { Stream } from './stream/stream.js'
export * from './task-module.js'
export type { ApplyOptions } from './verbs/apply.js'
export type { ReduceOptions } from './verbs/reduce.js'
export type { RetryOptions, Stage, StreamOptions } from './verbs/options.js'
export type { Verbs } from './verbs/verbs.js'
export { commit, type CommitResult } from './sinks/commit.js'
export type { CommitContext, CommitOptions, CommitTarget } from './sinks/commit-options.js'
export { rejects } from './sinks/rejects.js'
export { sample, type SampleOptions } from './verbs/sample.js'
export { readLines, type ReadLinesOptions } from './sources/read-lines.js'
export { replay } from './sources/replay.js'
export type { ResumeOptions } from './resume/options.js'
export { write, type WriteResult } from './sinks/write.js'
export type { ColumnType } from './formats/column-type.js'
export type { WriteFormat, WriteOptions, WriteTarget } from './sinks/write-options.js'
