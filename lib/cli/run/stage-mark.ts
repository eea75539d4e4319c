/** Marks an error with the stage that has thrown it. The mark is a field of the error: own fields travel with errors. */

const MARK = 'millraceStage'

/** @returns The error. */
export function markStage(error: unknown, label: string): unknown {
  // What is not an object, or frozen, has no mark: its line names no stage.
  if (typeof error === 'object' && error !== null && Object.isExtensible(error)) {
    Object.defineProperty(error, MARK, { value: label, configurable: true, enumerable: true, writable: true })
  }
  return error
}

export function stageOf(error: unknown): string | undefined {
  const label: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, MARK) : undefined
  return typeof label === 'string' ? label : undefined
}
