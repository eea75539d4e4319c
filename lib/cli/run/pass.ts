/**
 * Runs adjacent stages of a command line in one pass: an item goes through all of them before the next one begins. Nothing
 * is awaited unless a stage gives a promise.
 */
import { elementsOf } from '../../worker/expand.js'
import { loadTask, forItems, takesContext, type TaskFunction } from '../../worker/load.js'
import { isThenable } from '../../thenable.js'
import { NAME, type MadeByTask } from '../../task-name.js'
import type { TaskContext } from '../../task.js'
import { compileExpression } from './expression.js'
import type { StageData } from './pass-data.js'
import { markStage } from './stage-mark.js'

export interface Step {
  readonly kind: StageData['kind']
  readonly label: string
  readonly run: (item: unknown, context: TaskContext) => unknown
  readonly usesContext: boolean
  readonly isExpression: boolean
}

/** For stages that do not ask for one. */
export const NO_CONTEXT = {} as TaskContext

type Waiting = Promise<void> | undefined

type Finish = (result: unknown) => unknown

export class Pass {
  readonly usesContext: boolean
  readonly #steps: readonly Step[]

  constructor(steps: readonly Step[]) {
    this.#steps = steps
    this.usesContext = steps.some(({ usesContext }) => usesContext)
  }

  /** The results for an item, or a promise of them. */
  apply(item: unknown, context: TaskContext, finish?: Finish): unknown[] | Promise<unknown[]> {
    const results: unknown[] = []
    const waiting = this.#advance(0, item, context, results)
    if (waiting !== undefined) return waiting.then(() => finished(results, finish))
    return finished(results, finish)
  }

  /** Takes a value through the stages from number `at` on. What comes out of the last one goes to `results`. */
  #advance(at: number, value: unknown, context: TaskContext, results: unknown[]): Waiting {
    for (let next = at; next < this.#steps.length; next++) {
      const step = this.#steps[next]
      let result: unknown
      try {
        result = step.run(value, context)
      } catch (error) {
        throw markStage(error, step.label)
      }
      if (typeof result === 'function') throw functionResult(step)
      if (isThenable(result)) return this.#awaited(next, value, result, context, results)
      if (step.kind === 'flatMap') return this.#expand(next, result, context, results)
      if (step.kind === 'filter') {
        if (!result) return undefined
      } else if (result === undefined) return undefined
      else value = result
    }
    results.push(value)
    return undefined
  }

  async #awaited(
    at: number,
    value: unknown,
    promise: PromiseLike<unknown>,
    context: TaskContext,
    results: unknown[],
  ): Promise<void> {
    const step = this.#steps[at]
    let result: unknown
    try {
      result = await promise
    } catch (error) {
      throw markStage(error, step.label)
    }
    if (typeof result === 'function') throw functionResult(step)
    if (step.kind === 'flatMap') await this.#expand(at, result, context, results)
    else if (step.kind === 'filter' ? result : result !== undefined) {
      await this.#advance(at + 1, step.kind === 'filter' ? value : result, context, results)
    }
  }

  /** The elements of what a stage returned go on, one after the other. Nothing at all is no element. */
  #expand(at: number, returned: unknown, context: TaskContext, results: unknown[]): Waiting {
    if (returned === undefined || returned === null) return undefined
    const { label } = this.#steps[at]
    let elements: ReturnType<typeof elementsOf>
    try {
      elements = elementsOf(returned)
    } catch (error) {
      throw markStage(error, label)
    }
    if (Array.isArray(elements)) return this.#each(at + 1, elements, 0, context, results)
    return elements.then(
      (all) => this.#each(at + 1, all, 0, context, results),
      (error: unknown) => {
        throw markStage(error, label)
      },
    )
  }

  #each(at: number, elements: readonly unknown[], from: number, context: TaskContext, results: unknown[]): Waiting {
    for (let next = from; next < elements.length; next++) {
      const element = elements[next]
      const waiting = element === undefined ? undefined : this.#advance(at, element, context, results)
      if (waiting !== undefined) return this.#rest(waiting, at, elements, next + 1, context, results)
    }
    return undefined
  }

  async #rest(
    waiting: Promise<void>,
    at: number,
    elements: readonly unknown[],
    from: number,
    context: TaskContext,
    results: unknown[],
  ): Promise<void> {
    await waiting
    for (const element of elements.slice(from))
      if (element !== undefined) await this.#advance(at, element, context, results)
  }
}

/** A function is truthy, and has no text. Nobody means it. */
function functionResult({ label, isExpression }: Step): unknown {
  const cure = isExpression ? 'call it, or write the body alone, such as d.length' : 'return what it gives'
  return markStage(new TypeError(`The result is a function: ${cure}`), label)
}

function finished(results: unknown[], finish: Finish | undefined): unknown[] {
  if (finish !== undefined) for (let at = 0; at < results.length; at++) results[at] = finish(results[at])
  return results
}

/** Loads the module of a stage, or compiles its expression. */
export async function stepOf({ kind, label, work }: StageData, modules: ReadonlyMap<string, unknown>): Promise<Step> {
  if ('expression' in work) {
    const run = compileExpression(work.expression, work.uses, modules) as Step['run']
    return { kind, label, run, usesContext: work.uses.length > 0, isExpression: true }
  }
  const name = { module: work.module, id: work.exported, exported: true }
  const fn = await loadTask(name)
  // As the library calls it: a plain export gets its item alone.
  const run = forItems(
    { name: (fn as TaskFunction & Partial<MadeByTask>)[NAME] ?? name, kind: 'map', spread: false },
    fn,
  )
  const usesContext = takesContext('map', run)
  return { kind, label, run: usesContext ? run : (item) => run(item), usesContext, isExpression: false }
}
