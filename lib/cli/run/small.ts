/**
 * Which command lines run on the main thread: their input is not worth the start of a worker. The result must be the same
 * as that of workers. So no code of the user may go on after an item, or reach the process.
 */
import type { CommandPlan } from '../plan.js'
import { mentions } from './expression.js'
import type { Inputs } from './inputs.js'

/** Inputs below this size, in bytes. */
const SMALL = 1024 * 1024

/**
 * By these, an expression could write to the standard output, keep the process alive, or fail after its item. In a worker
 * that does no harm.
 */
const REACHING = [
  'async',
  'BroadcastChannel',
  'eval',
  'EventSource',
  'fetch',
  'Function',
  'global',
  'globalThis',
  'import',
  'MessageChannel',
  'process',
  'Promise',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
  'WebSocket',
]

export function isSmall(plan: CommandPlan, { size }: Pick<Inputs, 'size'>): boolean {
  const { stages, reduce, modules, input, output, run, faults, resume, tell } = plan
  if (size === undefined || size >= SMALL || input.decompress !== undefined || modules.length > 0) return false
  const options = [
    reduce,
    output.target,
    // Its package is not part of what runs here.
    output.format === 'parquet' ? output.format : undefined,
    run.workers,
    run.window,
    run.timeout,
    run.retries,
    faults.rejects,
    tell.report,
  ]
  if (options.some((option) => option !== undefined) || run.isUnordered || resume.isOn) return false
  return stages.every(({ work }) => 'expression' in work && staysInItem(work.expression))
}

function staysInItem(expression: string): boolean {
  return !REACHING.some((name) => mentions(expression, name))
}
