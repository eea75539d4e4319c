/**
 * Makes the stack of an error of a wrong call begin with the user's line, not with lines of this library. A call that
 * does not fail costs nothing extra.
 */

/** Node's types say that it is always there; it is undefined until somebody sets it. */
type Prepare = (error: Error, frames: readonly NodeJS.CallSite[]) => unknown
const Errors = Error as unknown as { prepareStackTrace?: Prepare | undefined; stackTraceLimit: number }

/** More frames than the library ever has on the stack when it throws the error of a wrong call. */
const MAX_OWN_FRAMES = 20

/**
 * Takes the frames of this library from the top of the stack of an error that was just made, unless there are no
 * others.
 */
export function pointAtCaller<E extends Error>(error: E): E {
  const { stackTraceLimit } = Errors
  if (!(stackTraceLimit > 0)) return error
  Errors.stackTraceLimit = stackTraceLimit + MAX_OWN_FRAMES
  try {
    const holder = { stack: '' }
    Error.captureStackTrace(holder, pointAtCaller)
    const frames = /\n {4}at [^]*$/.exec(holder.stack)?.[0].split('\n    at ').slice(1) ?? []
    const own = ownFrames()
    // Code that formats stacks in another way may give something other than lines.
    if (own === 0 || frames.length <= own) return error
    const kept = frames.slice(own, own + stackTraceLimit)
    error.stack = [`${error.name}: ${error.message}`, ...kept].join('\n    at ')
    return error
  } finally {
    Errors.stackTraceLimit = stackTraceLimit
  }
}

/** How many frames above `pointAtCaller()` belong to this library, from the top on. 0 if no other frame follows. */
function ownFrames(): number {
  const { prepareStackTrace } = Errors
  try {
    Errors.prepareStackTrace = (_, frames) => frames.map((frame) => frame.getFileName() ?? '')
    const holder: { stack?: unknown } = {}
    Error.captureStackTrace(holder)
    const [here = '', , ...files] = holder.stack as string[]
    const folder = here.slice(0, Math.max(here.lastIndexOf('/'), here.lastIndexOf('\\')) + 1)
    // Built-in functions have no file.
    const first = files.findIndex((file) => file !== '' && !file.startsWith(folder))
    // Where Node has called the library, nobody made a wrong call.
    return first < 0 || files[first]?.startsWith('node:') ? 0 : first
  } finally {
    Errors.prepareStackTrace = prepareStackTrace
  }
}
