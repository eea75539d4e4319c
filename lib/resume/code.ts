/** Tells whether the code of a task has changed between two runs. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Json } from './mark.js'

/** What a function does, where neither its name nor its text tells that. */
export interface Content {
  /** What must be the same in a run that goes on. */
  readonly plan: Json
  /** A hash of each module that it runs, by its name. */
  code(): Promise<Readonly<Record<string, string>>>
}

/** Kept apart from the functions themselves: it is a matter between parts of this library. */
const contents = new WeakMap<object, Content>()

export function offerContent(fn: object, content: Content): void {
  contents.set(fn, content)
}

/** Undefined: its name and its text tell it. */
export function contentOf(fn: object | undefined): Content | undefined {
  return fn && contents.get(fn)
}

/** A task that workers find by its module. */
export interface NamedTask {
  /** URL of the module. */
  readonly module: string
  readonly id: string
}

/** The name of a task without the folder of its module, so that a project can be moved. */
export function nameOfTask({ module, id }: NamedTask): string {
  return `${module.slice(module.lastIndexOf('/') + 1)}#${id}`
}

/** The code of tasks: a hash of the module of each, by the name of the task. */
export async function codeOfTasks(tasks: readonly NamedTask[]): Promise<Readonly<Record<string, string>>> {
  return joinCode(
    await Promise.all(tasks.map(async (task) => ({ [nameOfTask(task)]: await hashOfModule(task.module) }))),
  )
}

/** All hashes by their names. Different hashes with the same name become one. */
export function joinCode(all: readonly Readonly<Record<string, string>>[]): Readonly<Record<string, string>> {
  const joined: Record<string, string> = {}
  for (const [name, hash] of all.flatMap((code) => Object.entries(code))) {
    const before = joined[name]
    joined[name] = before === undefined || before === hash ? hash : hashOf(before + hash)
  }
  return joined
}

/**
 * The hash of a module that is a file: of its text, and not of what it imports. That of another module is the hash of its
 * name. Rejects if the file cannot be read.
 */
export async function hashOfModule(url: string): Promise<string> {
  return hashOf(url.startsWith('file:') ? await readFile(fileURLToPath(url)) : url)
}

/** The hash of a function: of its text. */
export function hashOfFunction(fn: (...args: never[]) => unknown): string {
  return hashOf(Function.prototype.toString.call(fn))
}

/** SHA-256, in hexadecimal. */
export function hashOf(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
