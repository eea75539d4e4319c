/** The context of a task's call, on any thread. It says where the item is in its input, if it is a record. */
import type { Place } from '../codec/records/format.js'
import type { TaskContext } from '../task.js'

export abstract class RecordContext implements TaskContext {
  abstract readonly signal: AbortSignal
  abstract readonly index: number
  abstract readonly worker: number

  /** Only hosts of a cluster know one. */
  get traceparent(): string | undefined {
    return undefined
  }

  get file(): string | undefined {
    return this.place?.file
  }

  get record(): number | undefined {
    return this.place?.record
  }

  get line(): number | undefined {
    return this.place?.line
  }

  get offset(): number | undefined {
    return this.place?.offset
  }

  /** Computed each time. */
  protected abstract get place(): Place | undefined
}
