/** Counts the errors of failed items by reason, in bounded memory. Messages that differ in numbers only are one reason. */
import type { ErrorReason, ErrorText, Place } from './run-report.js'

/** The most reasons that are kept apart, and the longest message that is kept, in characters. */
const MAX_REASONS = 100
const MAX_MESSAGE = 300

const OTHER: ErrorText = { name: 'other errors', message: '' }

export class Reasons {
  readonly #reasons = new Map<string, { text: ErrorText; task: string; count: number; first: Place }>()

  /** @param place Where the item comes from: asked for the first item of a reason. */
  add(task: string, error: unknown, index: number, place: () => Place): void {
    let text = textOf(error)
    let key = keyOf(task, text)
    if (!this.#reasons.has(key) && this.#reasons.size >= MAX_REASONS) {
      text = OTHER
      key = keyOf('', text)
    }
    const known = this.#reasons.get(key)
    if (known === undefined || index < known.first.index) {
      const of = text === OTHER ? '' : task
      this.#reasons.set(key, { text, task: of, count: (known?.count ?? 0) + 1, first: place() })
    } else known.count++
  }

  /** The most frequent first. */
  get all(): ErrorReason[] {
    return Array.from(this.#reasons.values(), ({ text, task, count, first }) => ({ ...text, task, count, first })).sort(
      (one, other) => other.count - one.count,
    )
  }
}

function keyOf(task: string, { name, code = '', message }: ErrorText): string {
  return [task, name, code, message.replace(/\d+/g, '#')].join('\0')
}

/** What is known of anything that was thrown. Getters of foreign errors may throw. */
export function textOf(error: unknown): ErrorText {
  try {
    const { name, code, message } = Object(error) as { name?: unknown; code?: unknown; message?: unknown }
    const isError = typeof message === 'string'
    return {
      name: isError && typeof name === 'string' ? name : 'thrown',
      ...(typeof code === 'string' && { code }),
      message: shortened(isError ? message : String(error)),
    }
  } catch {
    return { name: 'thrown', message: 'a value that cannot be shown' }
  }
}

function shortened(text: string): string {
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE)}…`
}
