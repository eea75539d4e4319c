/**
 * Splits records into their fields, and makes records of fields. Tuples count as records whose keys are their indices:
 * `tuples.ts`. Code is generated for a list of keys. Loops do it where code must not be generated, or would not repay
 * its cost.
 *
 * Generated code is several times faster than a loop over keys, and gives all objects one hidden class. It is made of
 * the keys alone, each written as a JSON string, which is a JavaScript string too. If a key has always had strings, or
 * numbers, it puts them straight into their column.
 */
import { types } from 'node:util'
import { attempt } from '../errors.js'
import type { Column } from './column.js'
import {
  codeToCheck,
  codeToPut,
  compile,
  fieldKindOf,
  type Build,
  type FieldKind,
  type FieldSource,
  type Split,
} from './compile.js'
import { codecLimits } from './limits.js'
import { TextReader } from './text.js'
import { generateTupleBuild, generateTupleSplit, loopBuildTuples, loopSplitTuples } from './tuples.js'

export class Shape {
  /** The keys, as JSON. */
  readonly text: string
  readonly keys: readonly string[]
  /** Objects with these keys, those without a prototype, or arrays of as many elements. */
  readonly form: 'plain' | 'bare' | 'tuple'
  readonly #worthwhile: number
  #used = 0
  #split: Split | undefined
  /** What the values of each key have been so far. */
  readonly #kinds: (FieldKind | undefined)[] = []
  #direct: DirectSplit | undefined
  #build: Build | undefined
  /** For each key, whether the built code reads it from text. */
  #areTexts: boolean[] | undefined

  constructor(text: string, keys: readonly string[], form: Shape['form'], worthwhile: number) {
    this.text = text
    this.keys = keys
    this.form = form
    this.#worthwhile = worthwhile
  }

  split(records: readonly unknown[], from: number, fields: readonly unknown[][], to: number): number {
    let at = from
    if (this.#split === undefined) {
      const most = Math.max(0, Math.min(records.length - from, this.#worthwhile - this.#used))
      const loop = this.form === 'tuple' ? loopSplitTuples : loopSplit
      at = loop(this, records, from, most, fields, to)
      this.#used += at - from
      if (this.#used < this.#worthwhile) return at
      this.#split = this.form === 'tuple' ? generateTupleSplit(this) : generateSplit(this, this.keys.map(anyKind))
    }
    return this.#split(records, at, fields, to + at - from)
  }

  /** Code that puts strings and numbers straight into columns; undefined before it is worthwhile, or for tuples. */
  get direct(): DirectSplit | undefined {
    if (this.#split === undefined || this.form === 'tuple') return undefined
    if (this.#direct === undefined) {
      const kinds = this.keys.map((_, index) => this.#kinds[index] ?? 'any')
      this.#direct = { kinds, split: generateSplit(this, kinds) }
    }
    return this.#direct
  }

  /** Notes what the values of a key were. A key whose kind changes is put as it is from then on. */
  learn(index: number, column: Column): void {
    const kind = fieldKindOf(column)
    const known = this.#kinds[index]
    const both = known === undefined ? kind : isNumeric(known) && isNumeric(kind) ? 'floats' : 'any'
    if (known === kind || known === both) return
    this.#kinds[index] = both
    this.#direct = undefined
  }

  build(sources: readonly FieldSource[], length: number): object[] {
    this.#used += length
    const isTuple = this.form === 'tuple'
    if (this.#used < this.#worthwhile) {
      const parts = sources.map(arrayOf)
      return isTuple ? loopBuildTuples(parts, length) : loopBuild(this, parts, length)
    }
    const areTexts = sources.map((source) => source instanceof TextReader)
    const known = this.#areTexts ?? areTexts
    // A key that was no text once is read from an array from then on.
    const next = areTexts.map((isText, index) => isText && known[index])
    if (this.#build === undefined || next.some((isText, index) => isText !== known[index])) {
      this.#areTexts = next
      this.#build = isTuple ? generateTupleBuild(next) : generateBuild(this, next)
    }
    return this.#build(
      sources.map((source, index) => (next[index] ? source : arrayOf(source))),
      length,
    )
  }
}

/** Generated code, and the kinds of the fields that it puts values into. */
export interface DirectSplit {
  readonly kinds: readonly FieldKind[]
  readonly split: Split
}

function anyKind(): FieldKind {
  return 'any'
}

function isNumeric(kind: FieldKind): boolean {
  return kind === 'integers' || kind === 'floats'
}

function arrayOf(source: FieldSource): ArrayLike<unknown> {
  return source instanceof TextReader ? source.rest() : source
}

/** The shapes that a thread has met last. */
export class Shapes {
  readonly #worthwhile: number
  readonly #byText = new Map<string, Shape>()

  /** @param worthwhile How many records of a shape justify generating code for it. Node can be told to forbid that. */
  constructor(worthwhile: number = canGenerate() ? codecLimits.minRecordsForCode : Infinity) {
    this.#worthwhile = worthwhile
  }

  /** The shape with these keys, which must be interned strings, as `Object.keys()` gives them. */
  ofKeys(keys: readonly string[], isBare?: boolean): Shape {
    return this.ofText(JSON.stringify(keys), isBare, keys)
  }

  ofText(text: string, isBare = false, keys?: readonly string[]): Shape {
    return this.#of(text, isBare ? 'bare' : 'plain', keys)
  }

  /** The shape of arrays of this length. */
  ofTuple(length: number): Shape {
    return this.#of(JSON.stringify(Array.from({ length }, (_, index) => String(index))), 'tuple')
  }

  /** Makes the shape the latest, and forgets the one not met for longest when there are too many. */
  #of(text: string, form: Shape['form'], keys?: readonly string[]): Shape {
    const key = form === 'plain' ? text : `${form} ${text}`
    const known = this.#byText.get(key)
    const shape = known ?? new Shape(text, keys ?? (JSON.parse(text) as string[]), form, this.#worthwhile)
    this.#byText.delete(key)
    if (this.#byText.size >= MAX_SHAPES) {
      const [oldest] = this.#byText.keys()
      this.#byText.delete(oldest)
    }
    this.#byText.set(key, shape)
    return shape
  }
}

const MAX_SHAPES = 256

/**
 * Whether an object is nothing but its own enumerable fields, so that its clone is known without cloning it. A plain
 * prototype tells most of it. An `arguments` object and a module have symbols that a plain object lacks. It is wrong
 * only about a Map, or the like, whose prototype was replaced by that of plain objects.
 */
export function isRecord(value: object): boolean {
  if (types.isProxy(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Reflect.get(value, Symbol.iterator) === undefined && Reflect.get(value, Symbol.toStringTag) === undefined
}

export function isBareObject(value: object): boolean {
  return Object.getPrototypeOf(value) === null
}

function loopSplit(
  { keys, form }: Shape,
  records: readonly unknown[],
  from: number,
  most: number,
  parts: readonly unknown[][],
  to: number,
): number {
  const isBare = form === 'bare'
  const end = from + most
  for (let at = from; at < end; at++) {
    const record = records[at]
    if (typeof record !== 'object' || record === null || !isRecord(record) || isBareObject(record) !== isBare) return at
    let fields = 0
    for (const key in record) {
      if (key !== keys[fields++]) return at
    }
    if (fields !== keys.length) return at
    keys.forEach((key, index) => {
      const part = parts[index]
      if (part !== undefined) part[to + at - from] = (record as Record<string, unknown>)[key]
    })
  }
  return end
}

/** The prototype is looked at last: by then the compiled code knows the hidden class, and with it the prototype. */
function generateSplit({ keys, form }: Shape, kinds: readonly FieldKind[]): Split {
  const each = (code: (key: string, index: number) => string): string => keys.map(code).join('\n')
  const body = `
    ${each((_, index) => `const field${index} = fields[${index}]`)}
    const shift = to - from
    for (let at = from; at < records.length; at++) {
      const record = records[at]
      if (typeof record !== 'object' || record === null || isProxy(record)) return at
      let count = 0
      for (const key in record) if (key !== keys[count++]) return at
      if (count !== ${keys.length}) return at
      ${each((key, index) => `const value${index} = record[${JSON.stringify(key)}]`)}
      if (Object.getPrototypeOf(record) !== ${form === 'bare' ? 'null' : 'Object.prototype'}) return at
      if (record[Symbol.iterator] !== undefined || record[Symbol.toStringTag] !== undefined) return at
      ${codeToCheck(kinds)}
      ${codeToPut(kinds)}
    }
    return records.length`
  const make = compile('keys', 'isProxy', `return (records, from, fields, to) => {${body}\n}`)
  return make(keys, types.isProxy) as Split
}

function loopBuild({ keys, form }: Shape, parts: readonly ArrayLike<unknown>[], length: number): object[] {
  // A copy of the template has all the fields already: a key '__proto__', or one with a setter in a prototype, is data.
  const template = Object.fromEntries(keys.map((key): [string, unknown] => [key, undefined]))
  const records: Record<string, unknown>[] = []
  for (let at = 0; at < length; at++) {
    const record = { ...template }
    if (form === 'bare') Object.setPrototypeOf(record, null)
    records.push(record)
  }
  for (let first = 0; first < keys.length; first += FIELDS_AT_ONCE) putFields(records, keys, parts, first)
  return records
}

/**
 * Puts values of the next keys into records, with a line for each key. While there is one shape, V8 knows which key a line puts: that
 * takes a fifth of the time.
 */
function putFields(
  records: readonly Record<string, unknown>[],
  keys: readonly string[],
  parts: readonly ArrayLike<unknown>[],
  first: number,
): void {
  const [a = '', b = a, c = b, d = c, e = d, f = e, g = f, h = g] = keys.slice(first, first + FIELDS_AT_ONCE)
  const [ofA = [], ofB = ofA, ofC = ofB, ofD = ofC, ofE = ofD, ofF = ofE, ofG = ofF, ofH = ofG] = parts.slice(
    first,
    first + FIELDS_AT_ONCE,
  )
  for (let at = 0; at < records.length; at++) {
    const record = records[at]
    record[a] = ofA[at]
    record[b] = ofB[at]
    record[c] = ofC[at]
    record[d] = ofD[at]
    record[e] = ofE[at]
    record[f] = ofF[at]
    record[g] = ofG[at]
    record[h] = ofH[at]
  }
}

const FIELDS_AT_ONCE = 8

function generateBuild({ keys, form }: Shape, areTexts: readonly boolean[]): Build {
  // Only as a computed name is '__proto__' a field like others.
  const name = (key: string): string => (key === '__proto__' ? '["__proto__"]' : JSON.stringify(key))
  const body = `
    ${keys.map((_, index) => `const part${index} = parts[${index}]`).join('\n')}
    const records = new Array(length)
    for (let at = 0; at < length; at++) records[at] = {
      ${form === 'bare' ? '__proto__: null,' : ''}
      ${keys.map((key, index) => `${name(key)}: part${index}${areTexts[index] ? '.next()' : '[at]'}`).join(',\n')}
    }
    return records`
  return compile(`return (parts, length) => {${body}\n}`)() as Build
}

function canGenerate(): boolean {
  return attempt(() => compile('')) !== undefined
}
