/** Starts a native worker. */
import { SHARE_ENV } from 'node:worker_threads'
import { relay } from '../log/record.js'
import { watchThreads } from '../shared/registry.js'
import { WORKER_FILE } from '../worker-file.js'
import { SpawnableWorker } from '../threads-package.js'

/** Environment variables of a worker: its own, or, with `SHARE_ENV` of `node:worker_threads`, this thread's. */
export type WorkerEnv = Readonly<Record<string, string | undefined>> | typeof SHARE_ENV

export function isWorkerEnv(value: unknown): value is WorkerEnv {
  if (value === SHARE_ENV) return true
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((variable) => variable === undefined || typeof variable === 'string')
}

/** Passed on to `new Worker()` of Node. */
export interface LaunchOptions {
  readonly execArgv?: readonly string[] | undefined
  readonly env?: WorkerEnv | undefined
  readonly resourceLimits?: object | undefined
}

/**
 * The objects of a worker live only as long as their chunk. A third of Node's default of 48 MiB is enough for them, and more would only
 * add to the memory of the process.
 */
const YOUNG_GENERATION_MB = 16

/** Starts a worker, whose log records come to this thread. Throws what `new Worker()` throws. */
export function launch(name: string, { execArgv, env, resourceLimits }: LaunchOptions): SpawnableWorker {
  // By default, Node passes on the options of `node --input-type=module -e …`, with which it cannot run a file.
  const args = execArgv ?? (process.execArgv.some((arg) => arg.startsWith('--input-type')) ? [] : undefined)
  // It may get a lock, and end while it holds it.
  watchThreads()
  const worker = new SpawnableWorker(WORKER_FILE, {
    name,
    ...(args && { execArgv: [...args] }),
    ...(env !== undefined && { env: typeof env === 'symbol' ? env : withoutUndefined(env) }),
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB, ...resourceLimits },
  })
  worker.on('message', relay)
  return worker
}

/** Node would turn an undefined variable into the text 'undefined'. */
function withoutUndefined(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined))
}
