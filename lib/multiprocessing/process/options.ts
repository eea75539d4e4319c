/** Reads the options of a `Process`, and makes the error for arguments that cannot be sent. */
import { unclonablePart } from '../../codec/clonable.js'
import { transferListFault, TransferListError } from '../../codec/transfer-list.js'
import { NotSerializableError, received, typeError } from '../../errors.js'
import { isWorkerEnv, type WorkerEnv } from '../../threads/launch.js'
import { readLimits, type ResourceLimits } from '../../threads/limits.js'
import { OptionReader } from '../../options.js'
import { assertProcessOptions } from '../../processes/process-options.js'
import { plainFunctionError, taskName } from '../../task-name.js'
import type { Exported, MadeByTask, TaskName } from '../../task.js'

/** Options of a process. */
export interface ProcessOptions<A extends readonly unknown[] = readonly never[]> {
  /** The task that it runs, called with `...args`; it may be async. */
  readonly target: (((...args: A) => unknown) & MadeByTask) | Exported<A[0], unknown>
  /**
   * Where it runs. `'thread'`: on a thread of this program. `'process'`: in a process of the system. Then a native crash,
   * `process.abort()`, the system's OOM kill or `kill -9` ends only that process. It takes about 50 MB and 100 ms to
   * start, and nothing can be shared with it: see docs/processes.md. Default: `'thread'`.
   */
  readonly isolation?: 'thread' | 'process'
  /**
   * Arguments of the target. They are copied, except shared objects (`Value`, `Lock`, …), which only threads can get.
   * Default: none.
   */
  readonly args?: A
  /**
   * ArrayBuffers of the arguments that `start()` moves to the process instead of copying them. They are detached here.
   * With isolation `'process'` their bytes are still copied.
   * Default: none.
   */
  readonly transfer?: readonly ArrayBufferLike[]
  /** Default: `'Process-1'` and so on. The children of a process are `'Process-1:1'` and so on. */
  readonly name?: string
  /**
   * Whether the program can end while it runs. The end of the program then ends it. Default: as the process that makes
   * it; the main process is not a daemon.
   */
  readonly daemon?: boolean
  /**
   * Environment variables, as in `new Worker()` of Node. Not `SHARE_ENV` with isolation `'process'`. Default: a copy of
   * this thread's.
   */
  readonly env?: WorkerEnv
  /**
   * Memory limits. With isolation `'process'`, those of the two generations alone. Default: those of Node, except a young
   * generation of 16 MiB in a thread.
   */
  readonly resourceLimits?: ResourceLimits
}

/** Options that have been checked. */
export interface GivenProcess {
  readonly target: TaskName
  readonly isolation: 'thread' | 'process'
  readonly args: readonly unknown[]
  readonly transfer: readonly ArrayBuffer[]
  readonly name: string | undefined
  readonly daemon: boolean | undefined
  readonly options: Pick<ProcessOptions, 'env' | 'resourceLimits'>
}

export function readProcessOptions<A extends readonly unknown[]>(options: ProcessOptions<A>): GivenProcess {
  const action = 'make a process'
  const read = new OptionReader<ProcessOptions<A>>(action, options, [
    'target',
    'isolation',
    'args',
    'transfer',
    'name',
    'daemon',
    'env',
    'resourceLimits',
  ])
  const target = taskName(action, (options as Partial<ProcessOptions<A>> | undefined)?.target)
  if (target === undefined) throw plainFunctionError(action, options.target, '')
  const transfer = read.value('transfer', 'an array', Array.isArray)
  const fault = transfer && transferListFault(transfer)
  if (fault !== undefined) throw typeError('ERR_INVALID_OPTION', `Cannot ${action} as ${fault}`)
  const isolation = read.oneOf('isolation', ['thread', 'process']) ?? 'thread'
  if (isolation === 'process') assertProcessOptions(read)
  return {
    target,
    isolation,
    transfer: [...(transfer ?? [])] as ArrayBuffer[],
    args: read.value('args', 'an array', Array.isArray) ?? [],
    name: read.value('name', 'a string', (value) => typeof value === 'string'),
    daemon: read.boolean('daemon'),
    options: {
      env: read.value('env', 'an object of strings or SHARE_ENV', isWorkerEnv),
      resourceLimits: readLimits(read),
    } as Pick<ProcessOptions, 'env' | 'resourceLimits'>,
  }
}

/** The error for arguments that cannot be posted. `cause`: the error that posting them threw. */
export function argumentError(action: string, args: readonly unknown[], cause: unknown): NotSerializableError {
  if (cause instanceof TransferListError) {
    return new NotSerializableError(`Cannot ${action} as ${cause.message}: ${cause.cure}`, { cause })
  }
  const fault = unclonablePart(args, 'args') ?? `it cannot be cloned (${received(cause)})`
  return new NotSerializableError(`Cannot ${action} as ${fault}: pass plain data`, { cause })
}
