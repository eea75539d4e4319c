/** Marks a function as a stage: `console.log()` shows that, and a loop over it throws an error that explains it. */
import { typeError } from '../errors.js'
import { refuseIteration } from '../io/source.js'

const stages = new WeakSet()

/** Whether a function was made by a verb that got no source. */
export function isStage(value: object): boolean {
  return stages.has(value)
}

/**
 * Makes a function a stage.
 *
 * @param verb The name of its verb.
 * @param task The id of its task.
 */
export function asStage<F extends object>(stage: F, verb: string, task: string): F {
  stages.add(stage)
  refuseIteration(stage, iterated)
  return Object.defineProperty(stage, Symbol.for('nodejs.util.inspect.custom'), {
    value: () => `[Stage: ${verb}${task === '' ? '' : ` ${task}`}]`,
  })
}

/** `for await (const result of imap(task))`. */
function iterated(): never {
  throw typeError(
    'ERR_INVALID_SOURCE',
    'Cannot iterate a stage as it has no source yet: write imap(task, source), or pipe(source, imap(task))',
  )
}
