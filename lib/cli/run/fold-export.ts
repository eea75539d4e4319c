/** The export that `--reduce` names: how results fold to one value. */
import { TaskLoadError, type ReduceOptions } from '../../index.js'
import { received } from '../../errors.js'
import { UsageError } from '../usage-error.js'
import type { TaskReference } from '../plan.js'
import { usageErrorOf } from './load-error.js'
import { importExport, moduleUrl } from './modules.js'

export interface FoldExport {
  readonly initial: unknown
  readonly merge: ReduceOptions<unknown>['merge']
  /** Makes the value that is printed of the last accumulator. Default: the accumulator. */
  readonly finish?: (accumulator: unknown) => unknown
}

/** @throws UsageError if the module cannot be loaded, or has no such export. */
export async function foldExport({ text, module, exported }: TaskReference): Promise<FoldExport> {
  const given = await loaded(moduleUrl('--reduce', module), exported)
  const { fold, merge, finish } = Object(given) as Readonly<Record<string, unknown>>
  const isFold = [fold, merge].every((part) => typeof part === 'function') && 'initial' in (given as object)
  if (isFold && (finish === undefined || typeof finish === 'function')) return given as FoldExport
  throw new UsageError(
    `--reduce: '${text}' must be { initial, fold, merge }, with functions fold(accumulator, item) and ` +
      `merge(into, partial), and perhaps a function finish(accumulator): received ${received(given)}`,
  )
}

async function loaded(url: string, exported: string): Promise<unknown> {
  try {
    return await importExport(url, exported)
  } catch (error) {
    throw error instanceof TaskLoadError ? usageErrorOf(error) : error
  }
}
