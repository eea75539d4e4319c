const NAME = 'UsageError'

/**
 * It was called in a wrong way. The message says what is wrong, and what to do. The program has several files, and each
 * has a copy of this class: so its errors are told by their name.
 */
export class UsageError extends Error {
  override readonly name: string = NAME

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === NAME
  }
}
