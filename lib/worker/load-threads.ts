/**
 * Loads the modules of the `threads` package without what importing them does to the program: each side of a worker
 * needs it, the pool's and the worker's.
 */

/**
 * Requires a module of `threads`, and removes the listeners that this adds to `process` for `events`. Listeners of a program
 * that has loaded `threads` itself stay.
 */
export function requireThreads(require: NodeJS.Require, module: string, events: readonly string[]): unknown {
  const before = events.map((event) => process.rawListeners(event))
  const loaded = withoutEval(require, () => require(module) as unknown)
  events.forEach((event, i) => {
    for (const listener of process.rawListeners(event)) {
      if (!before[i]?.includes(listener)) process.removeListener(event, listener as () => void)
    }
  })
  return loaded
}

/**
 * `threads` gets at Node's modules, once, by `eval('require')`. That fails where code from strings is not allowed, unless it
 * finds the global that webpack defines for this purpose.
 */
function withoutEval<T>(require: NodeJS.Require, load: () => T): T {
  const scope = globalThis as { __non_webpack_require__?: unknown }
  if ('__non_webpack_require__' in scope) return load()
  scope.__non_webpack_require__ = require
  try {
    return load()
  } finally {
    delete scope.__non_webpack_require__
  }
}
