/**
 * Structured clones as bytes, with a small number in front. There are two forms. All threads of a program run on one
 * engine, so they use the same form.
 */
import { deserialize, Deserializer, serialize, Serializer } from 'node:v8'
import { holdsSharedMemory } from '../../codec/clonable.js'

interface CloneForm {
  /** Throws the engine's error if the value cannot be cloned. */
  write(kind: number, value: unknown): Uint8Array
  read(bytes: Uint8Array): { readonly kind: number; readonly value: unknown }
}

/** V8's serializer: the number stands in front of the clone. */
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

/** For runtimes that have `serialize()` but not `Serializer`, such as Bun. */
export const PAIR_FORM: CloneForm = {
  write(kind, value) {
    // It would be copied without an error.
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
