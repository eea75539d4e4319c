/**
 * What the values of a column are, from the schema of its file: plain data, which workers get. And the schema as the
 * package is given it. Types that it would convert with a loss are taken away there. Elements have other names, since a
 * name such as `__proto__` would be no key in objects of the package.
 */
import { unreadable } from './faults.js'
import type { SchemaElement } from './package.js'

/** What a value becomes. `'same'`: it stays as it is. */
export type LeafKind =
  | 'same'
  | 'text'
  | 'bytes'
  | 'json'
  | 'uuid'
  | 'int64'
  | 'uint64'
  | 'uint32'
  | 'float16'
  | 'date'
  | 'milliseconds'
  | 'microseconds'
  | 'nanoseconds'
  | 'interval'

export type Shape =
  | { readonly kind: LeafKind }
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'list'; readonly of: Shape }
  /** The value is the first element of a struct, which has no other. */
  | { readonly kind: 'inner'; readonly of: Shape }
  | { readonly kind: 'struct'; readonly fields: readonly Field[] }
  | { readonly kind: 'map'; readonly key: Shape; readonly value: Shape }

export interface Field {
  readonly name: string
  readonly shape: Shape
}

/** A column, and its part of the schema. */
export interface SchemaColumn extends Field {
  /** With other names, the first of which is `COLUMN`. */
  readonly elements: readonly SchemaElement[]
  /** The names of its leaves, as the file has them, and as they are in `elements`. */
  readonly leaves: readonly Leaf[]
  /** The number of its first leaf among all of the file. */
  readonly firstLeaf: number
  /** Whether each row has one value, so that pages of other rows can be passed over. */
  readonly isFlat: boolean
}

/** A leaf of a column. */
export interface Leaf {
  readonly path: readonly string[]
  readonly renamed: readonly string[]
  /** How many elements down to it may be missing or repeated, and how many of them may be repeated. */
  readonly definition: number
  readonly repetition: number
}

/** The most levels of lists and structs. */
const MAX_DEPTH = 64

/** The columns of a file. @throws InputError for a schema that cannot be one, or has a type that cannot be read. */
export function columnsOf(file: string, schema: readonly SchemaElement[]): SchemaColumn[] {
  const walk = new SchemaWalk(file, schema)
  const columns = walk.columns()
  const names = new Set<string>()
  for (const { name } of columns) {
    if (names.has(name)) throw unreadable(file, `two of its columns are named '${name}'`)
    names.add(name)
  }
  return columns
}

/** An element of the tree. */
interface Node {
  readonly element: SchemaElement
  readonly children: readonly Node[]
}

interface LeafShape {
  readonly shape: Shape
  /** The types that the package is given for it. */
  readonly sent: Partial<SchemaElement>
}

class SchemaWalk {
  readonly #file: string
  readonly #schema: readonly SchemaElement[]
  #next = 0
  #leaves = 0

  constructor(file: string, schema: readonly SchemaElement[]) {
    this.#file = file
    this.#schema = schema
  }

  columns(): SchemaColumn[] {
    const root = this.#read(0)
    if (this.#next !== this.#schema.length) throw this.#wrong('its elements do not form a tree')
    return root.children.map((node) => {
      const elements: SchemaElement[] = []
      const leaves: Leaf[] = []
      const firstLeaf = this.#leaves
      const shape = this.#shapeOf(node, COLUMN, ROOT, elements, leaves)
      const isFlat = node.children.length === 0 && node.element.repetition_type !== 'REPEATED'
      return { name: node.element.name, shape, elements, leaves, firstLeaf, isFlat }
    })
  }

  #read(depth: number): Node {
    const element = this.#schema[this.#next++]
    if (element === undefined) throw this.#wrong('an element is missing')
    if (depth > MAX_DEPTH) throw this.#wrong(`it nests more than ${MAX_DEPTH} levels deep`)
    const count = element.num_children ?? 0
    if (count < 0 || count > this.#schema.length) throw this.#wrong('a number of children is wrong')
    if (count === 0 && element.type === undefined && depth > 0) throw this.#wrong(`'${element.name}' has no type`)
    return { element, children: Array.from({ length: count }, () => this.#read(depth + 1)) }
  }

  #wrong(reason: string): Error {
    return unreadable(this.#file, `its schema cannot be read: ${reason}`)
  }

  /** Adds the elements and the leaves of a node. */
  #shapeOf({ element, children }: Node, name: string, above: Leaf, elements: SchemaElement[], leaves: Leaf[]): Shape {
    const { repetition_type, num_children, type, type_length } = element
    const isRepeated = repetition_type === 'REPEATED'
    const own: Leaf = {
      path: [...above.path, element.name],
      renamed: [...above.renamed, name],
      definition: above.definition + (repetition_type === 'REQUIRED' ? 0 : 1),
      repetition: above.repetition + (isRepeated ? 1 : 0),
    }
    const wrapped = (shape: Shape): Shape => (isRepeated ? { kind: 'list', of: shape } : shape)
    if (children.length === 0) {
      const { shape, sent } = this.#leafOf(element, own.path)
      elements.push({ name, type, type_length, repetition_type, ...sent })
      leaves.push(own)
      this.#leaves++
      return wrapped(shape)
    }
    const [only] = children
    const isList = isListOf(element) && children.length === 1 && only?.element.repetition_type === 'REPEATED'
    const isMap = isMapOf(element) && children.length === 1 && only?.children.length === 2
    // One element within the list, as the package takes it apart.
    const isPackedList = isList && !isMap && (only.children.length === 1 || only.children.length === 0)
    elements.push({ name, repetition_type, num_children, ...(isPackedList && { converted_type: 'LIST' }) })
    if (isVariant(element)) throw this.#unsupported(own.path, 'VARIANT')
    const shapes = children.map((child, i) => this.#shapeOf(child, `c${i}`, own, elements, leaves))
    const [shape] = shapes
    if (isPackedList && shape !== undefined) return wrapped(listOf(shape))
    if (isMap && shape?.kind === 'list' && shape.of.kind === 'struct') {
      const [key, value] = shape.of.fields
      if (key !== undefined && value !== undefined) return wrapped({ kind: 'map', key: key.shape, value: value.shape })
    }
    // A list of structs, which the package gives as a struct with that list.
    if (isList && shape !== undefined) return wrapped({ kind: 'inner', of: shape })
    return wrapped({
      kind: 'struct',
      fields: shapes.map((one, i) => ({ name: children[i]?.element.name ?? '', shape: one })),
    })
  }

  #unsupported(path: readonly string[], type: string): Error {
    return unreadable(
      this.#file,
      `column '${path.join('.')}' is of type ${type}, which is not read`,
      'leave it out by columns',
    )
  }

  /** What a leaf is, and the types that the package is given for it. */
  #leafOf(
    { type, converted_type: converted, scale, logical_type: logical, type_length: length }: SchemaElement,
    path: readonly string[],
  ): LeafShape {
    const raw = (shape: Shape): LeafShape => ({ shape, sent: {} })
    const isBytes = type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY'
    const named = logical?.type
    if (converted === 'DECIMAL' || named === 'DECIMAL') {
      const places = (named === 'DECIMAL' ? logical?.scale : undefined) ?? scale ?? 0
      if (type === 'INT32' || type === 'INT64' || isBytes) return raw({ kind: 'decimal', scale: places })
      throw this.#unsupported(path, `DECIMAL in ${type ?? '?'}`)
    }
    if (type === 'INT96') return raw({ kind: 'nanoseconds' })
    if (type === 'INT32' && (converted === 'DATE' || named === 'DATE')) return raw({ kind: 'date' })
    if (
      type === 'INT64' &&
      (converted === 'TIMESTAMP_MILLIS' || converted === 'TIMESTAMP_MICROS' || named === 'TIMESTAMP')
    )
      return raw({ kind: timeKind(converted, logical?.unit) })
    const isUnsigned = converted?.startsWith('UINT_') === true || (named === 'INTEGER' && logical?.isSigned === false)
    if (type === 'INT32') return raw({ kind: isUnsigned ? 'uint32' : 'same' })
    if (type === 'INT64') return raw({ kind: isUnsigned ? 'uint64' : 'int64' })
    if (!isBytes) return raw({ kind: 'same' })
    const kind = bytesKind(type, converted, named)
    if (kind === 'uuid' && length !== 16) return raw({ kind: 'bytes' })
    if (kind === 'interval' && length !== 12) return raw({ kind: 'bytes' })
    // Texts are decoded by the package: once for each entry of a dictionary.
    return { shape: { kind }, sent: kind === 'text' || kind === 'json' ? { converted_type: 'UTF8' } : {} }
  }
}

const ROOT: Leaf = { path: [], renamed: [], definition: 0, repetition: 0 }

/** The name of the column itself, in the schema that the package gets. */
export const COLUMN = 'c'

function bytesKind(type: string, converted: string | undefined, logical: string | undefined): LeafKind {
  if (converted === 'JSON' || logical === 'JSON') return 'json'
  if (logical === 'UUID') return 'uuid'
  if (logical === 'FLOAT16') return 'float16'
  if (converted === 'INTERVAL') return 'interval'
  if (['UTF8', 'ENUM'].includes(converted ?? '') || ['STRING', 'ENUM'].includes(logical ?? '')) return 'text'
  // Without a type, it is taken for text where it is some.
  return type === 'BYTE_ARRAY' && converted === undefined && logical === undefined ? 'text' : 'bytes'
}

function timeKind(converted: string | undefined, unit: string | undefined): LeafKind {
  if (unit === 'NANOS') return 'nanoseconds'
  return unit === 'MICROS' || (unit === undefined && converted === 'TIMESTAMP_MICROS') ? 'microseconds' : 'milliseconds'
}

function isListOf({ converted_type, logical_type }: SchemaElement): boolean {
  return converted_type === 'LIST' || logical_type?.type === 'LIST'
}

function isMapOf({ converted_type, logical_type }: SchemaElement): boolean {
  return converted_type === 'MAP' || converted_type === 'MAP_KEY_VALUE' || logical_type?.type === 'MAP'
}

function isVariant({ logical_type }: SchemaElement): boolean {
  return logical_type?.type === 'VARIANT'
}

/** The list that a group of the type LIST is: of the one element that its repeated child has, or is. */
function listOf(repeated: Shape): Shape {
  if (repeated.kind !== 'list') return repeated
  const { of } = repeated
  const [only, ...others] = of.kind === 'struct' ? of.fields : []
  return only !== undefined && others.length === 0 ? { kind: 'list', of: only.shape } : repeated
}
