/** Checks the arguments of `commit()`. */
import { received, typeError } from '../errors.js'
import { isIterable } from '../io/source.js'
import { isAbortSignal, isPlainObject, MAX_TIMEOUT, OptionReader, signalHint } from '../options.js'
import type { ShownRun } from '../progress/observed-run.js'
import { readShown } from './shown-run.js'

/** Where `commit()` has its position, and where its results go: your functions, which use the same store. */
export interface CommitTarget<T> {
  /**
   * Gives the position that is stored, as `commit` has got it. Called once, before anything is read. Null or undefined:
   * there is none, and all items are read. Lock the store here against a second run, if that may start.
   */
  position(): string | null | undefined | Promise<string | null | undefined>
  /**
   * Writes results and their position in one transaction. Called again only when the promise that it gives has settled.
   *
   * @param items The results, in a new array. It may be empty: then there is only a new position.
   * @param position A text of JSON that says what is done once the items are written. Store it unchanged: as `text`, and
   * not as `jsonb`, which sorts its keys.
   * @returns False, after a rollback, if another position than `previous` is stored: then another run is at work, and this one ends with
   * `ERR_CHECKPOINT_LOCKED`. Anything else counts as done.
   */
  commit(items: T[], position: string, context: CommitContext): unknown
}

/** What `commit` is told beside the items. */
export interface CommitContext {
  /** The position that must be stored until now: the last one. Null: none. */
  readonly previous: string | null
  /**
   * The number of the first item among all that were ever committed, from 0. In an ordered stream, an item has the same
   * number in each run. So it is a key where a store has no transactions.
   */
  readonly first: number
}

/** The options of `commit()`. */
export interface CommitOptions {
  /**
   * How many items make a transaction. Those that are on their way when they are reached belong to it, too: up to a
   * window of each stage. Without a stage it has exactly this many. Default: 1,000; minimum: 1.
   */
  readonly items?: number
  /** After how many milliseconds a transaction is made with fewer items. Default: 5,000; minimum: 1. */
  readonly interval?: number
  /** Whether a run goes on though the code of a task has changed. Default: false. */
  readonly allowChangedCode?: boolean
  /**
   * Whether a line on the standard error shows progress. Where that is not a terminal, nothing is written; `'plain'`: a
   * line every 10 seconds; `'json'`: an object every second. See `progress()`. Default: false.
   */
  readonly progress?: boolean | 'plain' | 'json'
  /**
   * The path of a report on this run, as that of `write()`: it ends with `.html`, `.svg` or `.json`. If it cannot be
   * written, that is a warning of the process. Default: none.
   */
  readonly report?: string
  /**
   * Ends the run when it fires. The promise rejects with its reason. A transaction that is under way is awaited. Items
   * that are in no transaction yet are dropped: the next run reads them again.
   */
  readonly signal?: AbortSignal
}

/** The checked arguments. */
export interface CommitPlan {
  readonly target: CommitTarget<unknown>
  readonly items: number
  /** In milliseconds. */
  readonly interval: number
  readonly allowChangedCode: boolean
  /** Undefined: nothing is shown or recorded. */
  readonly shown: ShownRun | undefined
  readonly signal: AbortSignal | undefined
}

export const ACTION = 'commit results'
const OPTIONS = ['items', 'interval', 'allowChangedCode', 'progress', 'report', 'signal'] as const
const DEFAULT_ITEMS = 1_000
const DEFAULT_INTERVAL = 5_000

export function planCommit(target: unknown, options: unknown): CommitPlan {
  const { position, commit } = Object(target) as Partial<CommitTarget<unknown>>
  if (typeof position !== 'function' || typeof commit !== 'function') {
    throw typeError(
      'ERR_INVALID_ARGUMENTS',
      `Cannot ${ACTION} as the target must have the methods position() and commit(): received ${received(target)}`,
    )
  }
  if (isIterable(options) && !isPlainObject(options)) {
    const cure = 'a source: commit(target)(source), or pipe(source, commit(target))'
    throw typeError(
      'ERR_INVALID_OPTION',
      `Cannot ${ACTION} as its options must be an object: received ${received(options)} (${cure})`,
    )
  }
  const read = new OptionReader<CommitOptions>(ACTION, options, OPTIONS)
  return {
    target: target as CommitTarget<unknown>,
    items: read.integer('items', 1) ?? DEFAULT_ITEMS,
    interval: read.integer('interval', 1, MAX_TIMEOUT) ?? DEFAULT_INTERVAL,
    allowChangedCode: read.boolean('allowChangedCode') ?? false,
    shown: readShown(read),
    signal: read.value('signal', 'an AbortSignal', isAbortSignal, signalHint),
  }
}
