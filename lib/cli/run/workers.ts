/** Where the passes of a command line run: in the workers of a pool, or on this thread for small inputs. */
import {
  flatMap,
  imap,
  Pool,
  rejects,
  TaskLoadError,
  WorkerStartError,
  type Rejects,
  type Results,
  type Source,
} from '../../index.js'
import { offerContent } from '../../resume/code.js'
import type { CommandPlan } from '../plan.js'
import { isCopy, type PassData } from './pass-data.js'
import type { FoldExport } from './fold-export.js'
import { resumeOf } from './going-on.js'
import { usageErrorOf } from './load-error.js'
import { contentOfCommand } from './same-command.js'
import { definePass, namePass, prepare, ready } from './stages.js'

/** How long the workers may take to end, in milliseconds. What tasks have printed is then on its way. */
const CLOSE_MS = 1_000

/** As many workers start at once, while this thread opens the inputs. The others start when there is work for them. */
const MOST_AT_ONCE = 8
/** The same for an input of unknown size. */
const FOR_UNKNOWN_SIZE = 2
/** Another worker starts at once for each part of the input of this size, in bytes. */
const WORTH_A_WORKER = 4 * 1024 * 1024

export interface Place {
  /** Begins to load all modules. @param signal Ends that. */
  start(signal: AbortSignal | undefined): void
  /** Settles when all modules are loaded. @throws UsageError if one of them cannot be. */
  prepare(): Promise<void>
  /** The results of the passes. */
  stream(source: Source<unknown>): Results<unknown>
  /** What the results fold to. @throws TypeError at the call for a value that cannot begin a fold. */
  fold(source: Source<unknown>, fold: FoldExport, signal: AbortSignal | undefined): Promise<unknown>
  close(): Promise<void>
}

export class Workers implements Place {
  readonly #plan: CommandPlan
  readonly #passes: readonly PassData[]
  readonly #pool: Pool<[readonly PassData[]]>
  readonly #size: number | undefined
  #prepared: Promise<unknown> | undefined

  /** @param size Of the inputs, in bytes, if it is known. */
  constructor(plan: CommandPlan, passes: readonly PassData[], size: number | undefined) {
    this.#plan = plan
    this.#passes = passes
    this.#size = size
    const { workers } = plan.run
    this.#pool = new Pool<[readonly PassData[]]>({
      name: 'millrace',
      initializer: prepare,
      initargs: [passes],
      ...(workers !== undefined && { workers }),
    })
  }

  start(signal: AbortSignal | undefined): void {
    const options = { ...(signal !== undefined && { signal }) }
    const worth = this.#size === undefined ? FOR_UNKNOWN_SIZE : Math.ceil(this.#size / WORTH_A_WORKER)
    const count = Math.max(1, Math.min(this.#pool.workers, MOST_AT_ONCE, worth))
    // For each call that waits, a worker starts. The first one that is prepared answers all of them.
    const calls = Array.from({ length: count }, () => this.#pool.apply(ready, [], options))
    this.#prepared = Promise.all(calls)
    // The caller of `prepare()` hears of it. What fails before that comes first.
    this.#prepared.catch(() => undefined)
  }

  async prepare(): Promise<void> {
    try {
      await this.#prepared
    } catch (error) {
      throw error instanceof WorkerStartError ? forUser(error.cause, error) : error
    }
  }

  stream(source: Source<unknown>): Results<unknown> {
    return this.#streamed(this.#passes, source)
  }

  fold(source: Source<unknown>, { initial, merge }: FoldExport, signal: AbortSignal | undefined): Promise<unknown> {
    const last = this.#passes.at(-1)
    if (last === undefined) throw new Error('A fold needs a pass')
    const items = this.#passes.length > 1 ? this.#streamed(this.#passes.slice(0, -1), source) : source
    const options = { ...streamOptions(this.#plan), ...(signal !== undefined && { signal }) }
    const ordered = !this.#plan.run.isUnordered
    const resume = resumeOf(this.#plan)
    const own = { initial, merge, ordered, ...(resume !== undefined && { resume }) }
    return this.#pool.reduce(this.#taskOf(last) as never, items, { ...options, ...own })
  }

  #taskOf(pass: PassData): ReturnType<typeof namePass> {
    const task = namePass(pass)
    const none = { plan: pass.id, code: () => Promise.resolve({}) }
    offerContent(task, pass === this.#passes.at(-1) ? contentOfCommand(this.#plan) : none)
    return task
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise((resolve) => (timer = setTimeout(resolve, CLOSE_MS)))
    await Promise.race([this.#pool.close(), late])
    clearTimeout(timer)
  }

  #streamed(passes: readonly PassData[], source: Source<unknown>): Results<unknown> {
    const { flatMap, flatMapUnordered, imap, imapUnordered } = this.#pool
    const { isUnordered } = this.#plan.run
    let results: Source<unknown> = source
    for (const pass of passes) {
      const several = isUnordered ? flatMapUnordered : flatMap
      const one = isUnordered ? imapUnordered : imap
      results = (isCopy(pass) ? one : several)(this.#taskOf(pass) as never, results, streamOptions(this.#plan))
    }
    return headOf(results, this.#plan)
  }
}

export class ThisThread implements Place {
  readonly #plan: CommandPlan
  readonly #passes: readonly PassData[]
  readonly #tasks: Awaited<ReturnType<typeof definePass>>[] = []

  constructor(plan: CommandPlan, passes: readonly PassData[]) {
    this.#plan = plan
    this.#passes = passes
  }

  start(): void {
    // It is no use to begin before: they are loaded on this thread.
  }

  async prepare(): Promise<void> {
    try {
      for (const pass of this.#passes) this.#tasks.push(await definePass(pass))
    } catch (error) {
      throw forUser(error, error)
    }
  }

  stream(source: Source<unknown>): Results<unknown> {
    let results: Source<unknown> = source
    for (const [at, task] of this.#tasks.entries()) {
      const pass = this.#passes[at]
      const verb = pass !== undefined && isCopy(pass) ? imap : flatMap
      results = verb(task as never, results, { ...streamOptions(this.#plan), workers: 0 })
    }
    return headOf(results, this.#plan)
  }

  fold(): Promise<unknown> {
    return Promise.reject(new Error('Folds run in workers alone'))
  }

  async close(): Promise<void> {
    // Nothing was started.
  }
}

/** @returns For a module that does not load: the error for its user. Otherwise the other error. */
function forUser(error: unknown, other: unknown): unknown {
  return error instanceof TaskLoadError ? usageErrorOf(error) : other
}

/** @param results A stream. */
function headOf(results: Source<unknown>, { input }: CommandPlan): Results<unknown> {
  const stream = results as Results<unknown>
  return input.head === undefined ? stream : stream.take(input.head)
}

interface RunOptions {
  readonly errors: 'throw' | 'skip' | Rejects
  readonly maxErrors?: number | `${number}%`
  readonly timeout?: number
  readonly retries?: number
  readonly window?: number
}

function streamOptions({ run, faults }: CommandPlan): RunOptions {
  const { timeout, retries, window } = run
  const { rejects: path, skipErrors, maxErrors } = faults
  return {
    errors: path === undefined ? (skipErrors ? 'skip' : 'throw') : rejects(path),
    ...(maxErrors !== undefined && { maxErrors }),
    ...(timeout !== undefined && { timeout }),
    ...(retries !== undefined && { retries }),
    ...(window !== undefined && { window }),
  }
}
