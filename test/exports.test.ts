/** The public surface, name by name: what is in it is kept from version to version. */
import { createRequire } from 'node:module'
import ts from 'typescript'
import { declarations } from './support/declarations.js'

const VALUES = [
  'Barrier',
  'BoundedSemaphore',
  'BrokenBarrierError',
  'Condition',
  'Connection',
  'EndOfFileError',
  'Event',
  'Hold',
  'InputError',
  'JoinableQueue',
  'LineError',
  'Lock',
  'MainThreadGuardError',
  'MillraceError',
  'NotSerializableError',
  'Pipe',
  'PipeClosedError',
  'Pool',
  'PoolClosedError',
  'Process',
  'Queue',
  'QueueClosedError',
  'QueueEmptyError',
  'QueueFullError',
  'RLock',
  'Semaphore',
  'SharedArray',
  'SyncError',
  'TaskLoadError',
  'TaskTimeoutError',
  'Value',
  'WorkerCrashError',
  'WorkerStartError',
  'activeChildren',
  'apply',
  'batch',
  'cpuCount',
  'currentProcess',
  'failure',
  'filter',
  'filterUnordered',
  'flatMap',
  'flatMapUnordered',
  'getLogger',
  'imap',
  'imapUnordered',
  'isMainThread',
  'istarmap',
  'istarmapUnordered',
  'lines',
  'logTo',
  'logToStderr',
  'map',
  'parentProcess',
  'pipe',
  'reduce',
  'registerErrorClass',
  'starmap',
  'task',
  'tasks',
  'transfer',
]

const TYPES = [
  'Apply',
  'ApplyOptions',
  'BarrierOptions',
  'Batch',
  'BatchStage',
  'ByteSource',
  'Callable',
  'Chunks',
  'Diagnostics',
  'ErrorClassOptions',
  'ErrorCode',
  'ErrorMode',
  'Expandable',
  'Exported',
  'ExportedCall',
  'Failure',
  'Filter',
  'FlatMap',
  'Fold',
  'Given',
  'Guard',
  'IfInteger',
  'Imap',
  'InlineApplyOptions',
  'InlineOptions',
  'InlineReduceOptions',
  'Istarmap',
  'Lines',
  'LinesOptions',
  'LockOptions',
  'LogLevel',
  'LogOptions',
  'LogRecord',
  'LogTarget',
  'Logger',
  'MadeByTask',
  'MapVerb',
  'NameOf',
  'NumberOf',
  'NumberType',
  'Outcome',
  'PipeFunction',
  'PipeInput',
  'PoolOptions',
  'PoolStats',
  'ProcessInfo',
  'ProcessOptions',
  'QueueOptions',
  'Reduce',
  'ReduceOptions',
  'ResourceLimits',
  'Results',
  'RetryOptions',
  'Runnable',
  'SignalOptions',
  'Sink',
  'Source',
  'Stage',
  'StageOf',
  'Starmap',
  'Stream',
  'StreamOptions',
  'StreamStats',
  'SyncErrorCode',
  'SyncWaitOptions',
  'Task',
  'TaskCall',
  'TaskContext',
  'TaskFailure',
  'TaskLike',
  'TaskName',
  'TaskReference',
  'ThreadEvent',
  'ThreadedOptions',
  'ThrowOrSkip',
  'Tuning',
  'TypedArrayOf',
  'WaitOptions',
  'WorkerEvent',
]

/** How a list of names differs from the one above, in words; empty when it does not. */
function changes(actual: string[], listed: string[]): string[] {
  const added = actual.filter((name) => !listed.includes(name)).map((name) => `new: ${name}`)
  const gone = listed.filter((name) => !actual.includes(name)).map((name) => `gone: ${name}`)
  const all = [...added, ...gone]
  return all.length === 0 ? [] : ['The public names have changed: update the list on purpose', ...all]
}

/** The names that the built declarations export, as values or as types alone. */
function declared(): { values: string[]; types: string[] } {
  const { checker, exports } = declarations()
  const names = { values: [] as string[], types: [] as string[] }
  for (const exported of exports) {
    const meant = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const isType = !(meant.flags & ts.SymbolFlags.Value) || exported.declarations?.some(ts.isTypeOnlyExportDeclaration)
    names[isType === true ? 'types' : 'values'].push(exported.name)
  }
  return names
}

describe('the public surface', () => {
  it('has the listed values at run time', async () => {
    expect(changes(Object.keys(await import('millrace')), VALUES)).toEqual([])
  })

  it('declares the listed values', () => {
    expect(changes(declared().values, VALUES)).toEqual([])
  })

  it('declares the listed types', () => {
    expect(changes(declared().types, TYPES)).toEqual([])
  })

  it('is one and the same for import and require()', async () => {
    const require = createRequire(import.meta.url)
    for (const name of ['millrace', 'millrace/task']) {
      const [imported, required] = [(await import(name)) as object, require(name) as object]
      expect({ ...required }).toEqual({ ...imported })
      for (const [key, value] of Object.entries(required)) {
        expect([key, Object.is((imported as Record<string, unknown>)[key], value)]).toEqual([key, true])
      }
    }
  })
})
