/**
 * Structured clones as bytes, with a small number in front. Two forms: the program's threads run on one engine, so all
 * use the same one.
 */
import { deserialize, Deserializer, serialize, Serializer } from 'node:v8'
import { holdsSharedMemory } from '../../codec/clonable.js'

export interface CloneForm {
  /** Throws what says that the value cannot be cloned. */
  write(kind: number, value: unknown): Uint8Array
  read(bytes: Uint8Array): { readonly kind: number; readonly value: unknown }
}

/** V8's own: the number stands in front of the clone. */
export const ENGINE_FORM: CloneForm = {
  write(kind, value) {
    const serializer = new Serializer()
    serializer.writeUint32(kind)
    serializer.writeHeader()
    serializer.writeValue(value)
    return serializer.releaseBuffer()
  },
  read(bytes) {
    const deserializer = new Deserializer(bytes)
    const kind = deserializer.readUint32()
    deserializer.readHeader()
    return { kind, value: deserializer.readValue() as unknown }
  },
}

/** For runtimes that have `serialize()` and not `Serializer`, as Bun. */
export const PAIR_FORM: CloneForm = {
  write(kind, value) {
    // It would be copied without a word.
    if (holdsSharedMemory(value)) throw new TypeError('#<SharedArrayBuffer> could not be cloned.')
    return serialize([kind, value])
  },
  read(bytes) {
    const [kind, value] = deserialize(bytes) as [number, unknown]
    return { kind, value }
  },
}

export const FORM: CloneForm = hasSerializer() ? ENGINE_FORM : PAIR_FORM

function hasSerializer(): boolean {
  try {
    new Serializer()
    return true
  } catch {
    // Bun has the class, and its constructor throws.
    return false
  }
}
