/** The public surface, name by name. Its names stay from version to version. */
import { createRequire } from 'node:module'
import ts from 'typescript'
import { declarations, meaning } from './support/declarations.js'
import { runNode } from './support/programs.js'

interface Surface {
  readonly values: readonly string[]
  readonly types: readonly string[]
}

const CORE: Surface = {
  values: [
    'CheckpointError',
    'InputError',
    'LineError',
    'MainThreadGuardError',
    'MillraceError',
    'NotSerializableError',
    'OutputError',
    'Pool',
    'PoolClosedError',
    'RecordError',
    'TaskLoadError',
    'TaskTimeoutError',
    'WorkerCrashError',
    'WorkerStartError',
    'apply',
    'batch',
    'blocks',
    'commit',
    'csv',
    'failure',
    'files',
    'filter',
    'filterUnordered',
    'fixed',
    'flatMap',
    'flatMapUnordered',
    'imap',
    'imapUnordered',
    'isMainThread',
    'istarmap',
    'istarmapUnordered',
    'json',
    'lines',
    'map',
    'ndjson',
    'parquet',
    'pipe',
    'progress',
    'readLines',
    'reduce',
    'registerErrorClass',
    'rejects',
    'replay',
    'resumable',
    'sample',
    'starmap',
    'task',
    'tasks',
    'transfer',
    'tsv',
    'write',
  ],
  types: [
    'ApplyOptions',
    'BlocksOptions',
    'ByteSource',
    'CommitContext',
    'CommitOptions',
    'CommitResult',
    'CommitTarget',
    'CsvOptions',
    'CsvRow',
    'Diagnostics',
    'ErrorClassOptions',
    'ErrorCode',
    'ErrorMode',
    'Failure',
    'FieldType',
    'FieldValue',
    'FileBlock',
    'FileBlocks',
    'ColumnType',
    'Files',
    'FilesOptions',
    'FixedColumn',
    'FixedOptions',
    'FixedRow',
    'JsonOptions',
    'JsonRow',
    'Lines',
    'LinesOptions',
    'MadeByTask',
    'NdjsonOptions',
    'OpenFrom',
    'Outcome',
    'ParquetOptions',
    'ParquetSource',
    'ParquetValue',
    'PoolOptions',
    'PoolStats',
    'Position',
    'Positioned',
    'ProgressOptions',
    'ReadLinesOptions',
    'RecordErrorCode',
    'Records',
    'Rejects',
    'ReduceOptions',
    'ReplayOptions',
    'Results',
    'Resumable',
    'ResumeOptions',
    'RetryOptions',
    'SampleOptions',
    'Source',
    'Stage',
    'Stream',
    'StreamOptions',
    'StreamStats',
    'Task',
    'TaskContext',
    'TaskLike',
    'TaskReference',
    'Verbs',
    'WriteFormat',
    'WriteOptions',
    'WriteResult',
    'WriteTarget',
  ],
}

const MULTIPROCESSING: Surface = {
  values: [
    'Barrier',
    'BoundedSemaphore',
    'BrokenBarrierError',
    'Condition',
    'Connection',
    'EndOfFileError',
    'Event',
    'LockGuard',
    'JoinableQueue',
    'Lock',
    'Pipe',
    'PipeClosedError',
    'Pool',
    'Process',
    'Queue',
    'QueueClosedError',
    'QueueEmptyError',
    'QueueFullError',
    'RLock',
    'Semaphore',
    'SharedArray',
    'SyncError',
    'Value',
    'activeChildren',
    'cpuCount',
    'currentProcess',
    'getLogger',
    'logTo',
    'logToStderr',
    'parentProcess',
  ],
  types: [
    'BarrierOptions',
    'LockOptions',
    'LogLevel',
    'LogOptions',
    'LogRecord',
    'LogTarget',
    'Logger',
    'NumberOf',
    'NumberType',
    'PoolOptions',
    'PoolStats',
    'ProcessInfo',
    'ProcessOptions',
    'QueueOptions',
    'WaitOptions',
  ],
}

const NATS: Surface = {
  values: ['Cluster', 'ClusterError', 'HostLostError', 'NoHostsError', 'TooLargeError'],
  types: [
    'ClusterCredentials',
    'ClusterHost',
    'ClusterLimit',
    'ClusterOptions',
    'ClusterStats',
    'ClusterTls',
    'ReadyOptions',
    'Verbs',
  ],
}

const TASK: Surface = {
  values: ['isMainThread', 'registerErrorClass', 'task', 'tasks', 'transfer'],
  types: ['ErrorClassOptions', 'MadeByTask', 'Task', 'TaskContext', 'TaskLike', 'TaskReference'],
}

const ENTRIES = [
  ['millrace', CORE],
  ['millrace/multiprocessing', MULTIPROCESSING],
  ['millrace/nats', NATS],
  ['millrace/task', TASK],
] as const

/** The differences between a list of names and the one above, in words; empty if there are none. */
function changes(actual: readonly string[], listed: readonly string[]): string[] {
  const added = actual.filter((name) => !listed.includes(name)).map((name) => `new: ${name}`)
  const gone = listed.filter((name) => !actual.includes(name)).map((name) => `gone: ${name}`)
  const all = [...added, ...gone]
  return all.length === 0 ? [] : ['The public names have changed: update the list on purpose', ...all]
}

/** The names that the built declarations of an entry export, as values or only as types. */
function declared(name: string): Surface {
  const { checker, exports } = declarations(name)
  const names = { values: [] as string[], types: [] as string[] }
  for (const exported of exports) {
    const isType =
      !(meaning(checker, exported).flags & ts.SymbolFlags.Value) ||
      exported.declarations?.some(ts.isTypeOnlyExportDeclaration)
    names[isType === true ? 'types' : 'values'].push(exported.name)
  }
  return names
}

describe.each(ENTRIES)('the public surface of %s', (name, surface) => {
  it('has the listed values at run time', async () => {
    expect(changes(Object.keys((await import(name)) as object), surface.values)).toEqual([])
  })

  it('declares the listed values, and the listed types', () => {
    const { values, types } = declared(name)
    expect([...changes(values, surface.values), ...changes(types, surface.types)]).toEqual([])
  })

  it('is one and the same for import and require()', async () => {
    const [imported, required] = [(await import(name)) as object, createRequire(import.meta.url)(name) as object]
    expect({ ...required }).toEqual({ ...imported })
    for (const [key, value] of Object.entries(required)) {
      expect([key, Object.is((imported as Record<string, unknown>)[key], value)]).toEqual([key, true])
    }
  })
})

describe('what entries have in common', () => {
  it('is one and the same in both', async () => {
    const [core, ...others] = await Promise.all(
      ENTRIES.map(async ([name]) => new Map(Object.entries((await import(name)) as object))),
    )
    const common = others.map((names) => [...names.keys()].filter((key) => core?.has(key)))
    expect(common).toEqual([['Pool'], [], TASK.values])
    for (const names of others)
      for (const [key, value] of names) if (core?.has(key)) expect([key, core.get(key) === value]).toEqual([key, true])
  })

  it('is only types of Pool', () => {
    const common = MULTIPROCESSING.types.filter((name) => CORE.types.includes(name))
    expect(common).toEqual(['PoolOptions', 'PoolStats'])
  })

  it('is not a lock: an import of one from millrace fails before the program runs', async () => {
    const program = `import { Lock } from ${JSON.stringify(import.meta.resolve('millrace'))}\nconsole.log('ran', Lock)`
    const { code, stdout, stderr } = await runNode(['--input-type=module', '--eval', program])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain("SyntaxError: The requested module '")
    expect(stderr).toContain("does not provide an export named 'Lock'")
  })
})
