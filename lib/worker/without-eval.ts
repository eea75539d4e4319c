/**
 * The `threads` package gets at Node's modules by `eval('require')`, which fails where code from strings is not allowed,
 * unless it finds the global that webpack defines for this purpose.
 */
export function withoutEval<T>(require: NodeJS.Require, use: () => T): T {
  const scope = globalThis as { __non_webpack_require__?: unknown }
  if ('__non_webpack_require__' in scope) return use()
  scope.__non_webpack_require__ = require
  try {
    return use()
  } finally {
    delete scope.__non_webpack_require__
  }
}
