/** Values of a run in a checkpoint, as structured cloning writes them. */
import { deserialize, serialize } from 'node:v8'
import { CheckpointError, received } from '../errors.js'
import type { Json } from './mark.js'

/** @param what Of what they are, for the error: 'the items of a batch'. */
export function storedValue(value: unknown, what: string): Json {
  try {
    return serialize(value).toString('base64')
  } catch (cause) {
    throw new CheckpointError(
      `Cannot store ${what} in a checkpoint as it must be plain data: ${(cause as Error).message}`,
      'ERR_NOT_RESUMABLE',
      { cause },
    )
  }
}

export function restoredValue(stored: Json | undefined, what: string): unknown {
  try {
    if (typeof stored === 'string') return deserialize(Buffer.from(stored, 'base64'))
  } catch (cause) {
    // An older Node reads no values of a newer one.
    throw new CheckpointError(
      `Cannot go on from the checkpoint as this version of Node (${process.version}) cannot read ${what} in it: ` +
        `use the version that has written it, or begin anew without the checkpoint`,
      'ERR_CHECKPOINT_VERSION',
      { cause },
    )
  }
  throw new CheckpointError(
    `Cannot go on from the checkpoint as it must have ${what}: received ${received(stored)}`,
    'ERR_CHECKPOINT_DAMAGED',
  )
}
