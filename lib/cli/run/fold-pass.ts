/** The last pass of a command line with a fold: it folds what its stages give. */
import { takesContext, type TaskFunction } from '../../worker/load.js'
import { isThenable } from '../../thenable.js'
import type { TaskContext } from '../../task.js'
import { importExport } from './modules.js'
import type { PassData } from './pass-data.js'
import { NO_CONTEXT, type Pass } from './pass.js'
import { markStage } from './stage-mark.js'

type FoldOfItem = (accumulator: unknown, item: unknown) => unknown
type Fold = (accumulator: unknown, item: unknown, context: TaskContext) => unknown

interface FoldStep {
  readonly run: Fold
  readonly usesContext: boolean
}

/** Loads the module of a fold. */
export async function foldStep({ module, exported, label }: NonNullable<PassData['fold']>): Promise<FoldStep> {
  const { fold } = (await importExport(module, exported)) as { fold: Fold }
  const usesContext = takesContext('reduce', fold as TaskFunction)
  // A parameter with a default is for its other callers.
  const call = usesContext ? fold : (accumulator: unknown, item: unknown) => (fold as FoldOfItem)(accumulator, item)
  const run: Fold = (accumulator, item, context) => {
    try {
      const next = call(accumulator, item, context)
      return isThenable(next)
        ? Promise.resolve(next).catch((error: unknown) => {
            throw markStage(error, label)
          })
        : next
    } catch (error) {
      throw markStage(error, label)
    }
  }
  return { run, usesContext }
}

/** A third parameter makes the library compute a context for each item. */
export function foldTask({ stages }: PassData, pass: Pass, fold: FoldStep): TaskFunction {
  const run = stages.length === 0 ? fold.run : folding(pass, fold.run)
  return fold.usesContext || pass.usesContext
    ? (accumulator, item, context) => run(accumulator, item, context as TaskContext)
    : (accumulator, item) => run(accumulator, item, NO_CONTEXT)
}

/** Folds what the stages give for an item into the accumulator. */
function folding(pass: Pass, fold: Fold): Fold {
  return (accumulator, item, context) => {
    const results = pass.apply(item, context)
    const foldAll = (all: readonly unknown[]): unknown => {
      let next = accumulator
      for (const [at, result] of all.entries()) {
        next = fold(next, result, context)
        if (isThenable(next)) return foldRest(fold, next, all.slice(at + 1), context)
      }
      return next
    }
    return isThenable(results) ? Promise.resolve(results).then(foldAll) : foldAll(results)
  }
}

async function foldRest(
  fold: Fold,
  first: PromiseLike<unknown>,
  rest: readonly unknown[],
  context: TaskContext,
): Promise<unknown> {
  let next = await first
  for (const result of rest) next = await fold(next, result, context)
  return next
}
