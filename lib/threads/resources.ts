/** Recognises the errors of a system that is short of handles or memory: with fewer workers, one may start. */

const CODES: ReadonlySet<unknown> = new Set(['ERR_WORKER_INIT_FAILED', 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'])

/** In the error with which Node refuses a module when it cannot open its package.json. */
const TOO_MANY_FILES = 'too many open files'

/** @param error Of a worker that did not start, or, as `cause`, of a module that did not load in it. */
export function lacksResources(error: unknown): boolean {
  return isOfResources(error) || isOfResources((error as { cause?: unknown } | null | undefined)?.cause)
}

function isOfResources(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return CODES.has(code) || (code === 'ERR_INVALID_PACKAGE_CONFIG' && String(message).includes(TOO_MANY_FILES))
}

/** The cure for an error with this message. */
export function cureOf(message: string): string {
  const isOfFiles = /\bE[MN]FILE\b/.test(message) || message.includes(TOO_MANY_FILES)
  return isOfFiles ? '. Too many files are open: close some, or raise the limit (ulimit -n)' : ''
}
