/** Splits arrays of one length into an array per place, and makes tuples of such arrays, as `shapes.ts` does records. */
import { types } from 'node:util'
import { compile, type Build, type Split } from './compile.js'
import { elementsOf } from './elements.js'

interface Width {
  /** The indices. */
  readonly keys: readonly string[]
}

export function loopSplitTuples(
  { keys }: Width,
  tuples: readonly unknown[],
  from: number,
  most: number,
  parts: readonly unknown[][],
  to: number,
): number {
  const end = from + most
  for (let at = from; at < end; at++) {
    const elements = elementsOf(tuples[at])
    if (elements?.length !== keys.length) return at
    for (const [index, part] of parts.entries()) part[to + at - from] = elements[index]
  }
  return end
}

/** What `elementsOf()` does, in place. */
export function generateTupleSplit({ keys }: Width): Split {
  const { length } = keys
  const each = (code: (index: number) => string): string => keys.map((_, index) => code(index)).join('\n')
  const body = `
    ${each((index) => `const part${index} = parts[${index}]`)}
    const shift = to - from
    for (let at = from; at < tuples.length; at++) {
      const tuple = tuples[at]
      if (!Array.isArray(tuple) || isProxy(tuple)) return at
      if (tuple.length !== ${length} || Object.getPrototypeOf(tuple) !== Array.prototype) return at
      const keys = Object.keys(tuple)
      if (keys.length !== ${length}) return at
      ${length === 0 ? '' : `if (keys[${length - 1}] !== '${length - 1}') return at`}
      ${each((index) => `part${index}[at + shift] = tuple[${index}]`)}
    }
    return tuples.length`
  return compile('isProxy', `return (tuples, from, parts, to) => {${body}\n}`)(types.isProxy) as Split
}

export function loopBuildTuples(parts: readonly ArrayLike<unknown>[], length: number): object[] {
  return Array.from({ length }, (_, at) => parts.map((part) => part[at]))
}

export function generateTupleBuild(areTexts: readonly boolean[]): Build {
  const body = `
    ${areTexts.map((_, index) => `const part${index} = parts[${index}]`).join('\n')}
    const tuples = new Array(length)
    for (let at = 0; at < length; at++) tuples[at] = [${areTexts.map((isText, index) => `part${index}${isText ? '.next()' : '[at]'}`).join(', ')}]
    return tuples`
  return compile(`return (parts, length) => {${body}\n}`)() as Build
}
