/**
 * Which names an expression uses, as V8 resolves them. A property `.i`, the flag of `/x/i`, a string with an i and the
 * parameter of `(v, i) => …` are not uses of `i`.
 *
 * V8 tells it by its inspector: the scope that a function was made in keeps the variables that the function uses, and no
 * others. So nothing here has to know the syntax of JavaScript. It takes a few milliseconds, on the main thread alone.
 */
import type { Runtime, Session } from 'node:inspector'
import { mentions } from './expression.js'

/** Each function that is looked at uses it. A scope without it is not understood. */
const CONTROL = '$used'

/**
 * @param names What it may use.
 * @returns Those that it uses. If V8 cannot be asked: those that it may use, as far as that is seen in the text.
 */
export function usedNames<Name extends string>(expression: string, names: readonly Name[]): readonly Name[] {
  const possible = names.filter((name) => mentions(expression, name))
  if (possible.length === 0) return possible
  const scope = scopeOf(expression, names)
  return scope?.has(CONTROL) === true ? possible.filter((name) => scope.has(name)) : possible
}

/** The parameters that the function of an expression uses. The expression itself is not run. */
function scopeOf(expression: string, names: readonly string[]): ReadonlySet<string> | undefined {
  // A build of Node without the inspector, and the permission model.
  if (!process.features.inspector) return undefined
  const session = new (process.getBuiltinModule('node:inspector').Session)()
  try {
    session.connect()
  } catch {
    return undefined
  }
  try {
    const parameters = [...names, CONTROL].join(', ')
    const source = `((${parameters}) => { 'use strict'; return async () => [${CONTROL}, (\n${expression}\n)] })()`
    let made: Runtime.RemoteObject | undefined
    // V8 replies at once. With an error, there is no object.
    session.post('Runtime.evaluate', { expression: source, silent: true }, (_, reply) => (made = reply?.result))
    const scopes = propertiesOf(session, made)?.internalProperties?.find(({ name }) => name === '[[Scopes]]')
    // The first one is the innermost.
    const [scope] = propertiesOf(session, scopes?.value)?.result ?? []
    const variables = propertiesOf(session, scope?.value)?.result
    return variables && new Set(variables.map(({ name }) => name))
  } finally {
    session.disconnect()
  }
}

function propertiesOf(
  session: Session,
  object: Runtime.RemoteObject | undefined,
): Runtime.GetPropertiesReturnType | undefined {
  const { objectId } = object ?? {}
  let properties: Runtime.GetPropertiesReturnType | undefined
  if (objectId === undefined) return undefined
  session.post('Runtime.getProperties', { objectId, ownProperties: true }, (_, reply) => (properties = reply))
  return properties
}
