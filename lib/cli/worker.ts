/** `millrace worker`: a host. It runs the tasks of its modules for producers, until a signal ends it. */
import { hostname, availableParallelism } from 'node:os'
import { inspect } from 'node:util'
import { BrokerError } from '../cluster/broker.js'
import { Host } from '../cluster/host.js'
import type { OfferedModule } from '../cluster/unit-run.js'
import { PoolClosedError, TaskLoadError } from '../errors.js'
import { ThreadExecutor } from '../executor/threads/thread-executor.js'
import { setDataFolders } from '../io/data-folder.js'
import { LEVELS, sendToStderr, setLogLevel, type LogLevel } from '../log/settings.js'
import { isVersion } from '../nats/options.js'
import { applyOn } from '../verbs/apply.js'
import { readFlags, UsageError, type Command, type Flags, type Values } from './command.js'
import { brokerOf, CONNECTION_FLAGS } from './connection-flags.js'
import { dataFolders } from './data-folders.js'
import { offeredModules, taskIn } from './offered.js'

const flags: Flags = {
  ...CONNECTION_FLAGS,
  slots: { type: 'string', value: 'N', help: 'how many worker processes. Default: the number of cores' },
  name: { type: 'string', value: 'NAME', help: "the host's name. Default: that of the machine, and the process id" },
  version: { type: 'string', value: 'ID', help: 'of all modules, such as a commit. Default: a hash of each file' },
  module: { type: 'string', multiple: true, value: 'KEY=FILE', help: 'a module by a key of your own; may be repeated' },
  'allow-export': {
    type: 'string',
    multiple: true,
    value: 'MODULE#NAME',
    help: 'allow { module, export } tasks; may be repeated',
  },
  data: {
    type: 'string',
    multiple: true,
    value: 'NAME=DIR',
    help: 'a folder below which tasks read the blocks that items name; may be repeated',
  },
  initializer: { type: 'string', value: 'FILE#ID', help: 'a task that each worker runs before its first item' },
  finalizer: { type: 'string', value: 'FILE#ID', help: 'a task that each worker runs before it ends' },
  'max-tasks-per-worker': { type: 'string', value: 'N', help: 'replace a worker after this many items' },
  'max-heap-used': { type: 'string', value: 'SIZE', help: 'replace a worker when this much of its heap is in use' },
  'max-old-space': {
    type: 'string',
    value: 'MIB',
    help: "each worker's limit of memory, as --max-old-space-size of Node",
  },
  ahead: {
    type: 'string',
    value: 'N',
    help: 'how many units it may hold beyond its slots, while they are short. 0 if tasks wait for each other. Default: one for each slot',
  },
  log: {
    type: 'string',
    value: 'LEVEL',
    help: "what goes to stderr: 'debug', 'info', 'warn', 'error' or 'silent'. Default: 'warn'",
  },
  drain: { type: 'string', value: 'TIME', help: 'how long to finish what runs, after SIGTERM or SIGINT. Default: 30s' },
}

const DRAIN_MS = 30_000
const START_MS = 60_000
/** No module has it. */
const NO_EXPORT = 'millrace: does the module load?'
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

export const worker: Command = {
  summary: 'Run a host: worker processes for the tasks of some modules',
  operands: 'MODULE…',
  flags,
  async run(args) {
    const { values, operands } = readFlags(flags, args, true)
    const version = values.matching('version', "letters, digits, and '.', '_', '+', '-'", isVersion)
    const modules = offeredModules(operands, values.texts('module'), values.texts('allow-export'), version)
    const drain = values.duration('drain') ?? DRAIN_MS
    const level = (values.matching('log', `one of ${LEVELS.join(', ')}`, isLevel) ?? 'warn') as LogLevel
    const name = values.text('name') ?? `${hostname()}-${process.pid}`
    // Before there are workers, which have it from their environment.
    setDataFolders(dataFolders(values.texts('data')))
    const executor = executorOf(name, values)
    // A host waits for its server.
    const { broker, namespace, group } = brokerOf(values, `host ${name}`, '_INBOX_h', Infinity)
    const asked = signalled()
    try {
      await assertLoad(modules, executor)
      // Not before: that trial fails on purpose.
      setLogLevel(level)
      sendToStderr()
      const host = new Host({
        namespace,
        group,
        broker,
        executor,
        name,
        modules,
        ahead: values.integer('ahead', 0, 1_024),
      })
      console.log(`Host ${name} waits for a server`)
      const started = host.start().then(() => 'started' as const)
      const first = await Promise.race([started, asked])
      if (first === 'asked') {
        await broker.close()
        // It was waiting for the server.
        await started.catch(assertDown)
      } else {
        console.log(ready(name, executor.workers, namespace, group, modules))
        await Promise.race([asked, host.failed])
        console.log(`Host ${name} finishes what it holds, within ${drain} ms`)
      }
      await host.drain(drain)
      return 0
    } finally {
      await executor.terminate(new PoolClosedError(`Host '${name}' has ended`, 'ERR_POOL_TERMINATED'))
      await broker.close()
    }
  },
}

function isLevel(value: string): boolean {
  return (LEVELS as readonly string[]).includes(value)
}

function executorOf(name: string, values: Values): ThreadExecutor {
  const maxHeapUsed = values.size('max-heap-used')
  const oldSpace = values.integer('max-old-space', 1)
  return new ThreadExecutor({
    name,
    workers: values.integer('slots', 1, 1_024) ?? availableParallelism(),
    isolation: 'process',
    idleTimeout: Infinity,
    startTimeout: START_MS,
    maxTasksPerWorker: values.integer('max-tasks-per-worker', 1),
    maxHeapUsed,
    watchHeap: maxHeapUsed !== undefined,
    resourceLimits: oldSpace === undefined ? undefined : { maxOldGenerationSizeMb: oldSpace },
    initializer: taskIn('initializer', values.text('initializer')),
    finalizer: taskIn('finalizer', values.text('finalizer')),
    initargs: [],
  })
}

/** Imports the modules in a first worker: a host that cannot run them must not take units. */
async function assertLoad(modules: readonly OfferedModule[], executor: ThreadExecutor): Promise<void> {
  const apply = applyOn(() => executor)
  for (const { url } of modules) {
    try {
      await apply({ module: url, export: NO_EXPORT })
    } catch (error) {
      if (!(error instanceof TaskLoadError)) throw error
      if (error.cause === undefined) continue
      throw new UsageError(`module ${url} does not load: ${inspect(error.cause)}`)
    }
  }
}

/** Resolves at the first signal. A second one ends the program at once. */
function signalled(): Promise<'asked'> {
  return new Promise((resolve) => {
    let isAsked = false
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (isAsked) process.exit(0)
        isAsked = true
        resolve('asked')
      })
    }
  })
}

function assertDown(error: unknown): void {
  if (!(error instanceof BrokerError) || error.fault !== 'down') throw error
}

function ready(
  name: string,
  slots: number,
  namespace: string,
  group: string,
  modules: readonly OfferedModule[],
): string {
  const lines = modules.map(({ taskKey }) => `  ${taskKey}`)
  return [`Host ${name} is ready: ${slots} slots, namespace '${namespace}', group '${group}'`, ...lines].join('\n')
}
