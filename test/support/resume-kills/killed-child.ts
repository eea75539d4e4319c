/** One run of `child.ts`, which ends by itself or is killed. */
import { fileURLToPath } from 'node:url'
import { runKillable, type Kill } from '../killable.js'
import type { ChildArguments, ChildResult } from './child.js'

const PROGRAM = fileURLToPath(new URL('./child.js', import.meta.url))

export type ChildEnd =
  | { readonly kind: 'done'; readonly result: ChildResult }
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals; readonly wasStopped: boolean }
  | { readonly kind: 'failed'; readonly text: string }

/** @param kill Undefined: it ends by itself. */
export async function runChild(given: ChildArguments, kill?: Kill): Promise<ChildEnd> {
  const end = await runKillable<ChildResult>(PROGRAM, given, kill)
  if (end.kind === 'killed') return { ...end, wasStopped: false }
  if (end.kind === 'done' && end.result.wasStopped) return { kind: 'killed', signal: 'SIGTERM', wasStopped: true }
  return end
}
