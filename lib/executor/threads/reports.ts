/** What happens to the workers of a pool, in the order in which it did: it is only noted here, and its executor deals with all of it. */
import { Fifo } from '../../fifo.js'
import type { Progress } from '../../worker/cells.js'
import type { PartMessage } from '../../worker/protocol.js'
import type { Assignment } from './chunk-sender.js'
import type { WorkerHandle } from './worker-handle.js'

export type Report =
  /** The first outcomes of a worker have come: it did start, and can work. */
  | { readonly kind: 'working' }
  /** Outcomes of a chunk have come. After the last ones of a chunk, the worker does not hold it any more. */
  | { readonly kind: 'part'; readonly worker: WorkerHandle; readonly held: Assignment; readonly message: PartMessage }
  /** An item has been running for too long, or its task has been loading for too long. */
  | { readonly kind: 'overdue'; readonly worker: WorkerHandle; readonly progress: Progress }
  /** The thread has ended, or could not be started. */
  | { readonly kind: 'ended'; readonly worker: WorkerHandle }

export class Reports {
  readonly #reports = new Fifo<Report>()
  readonly #wake: () => void

  /** @param wake Called when there is a report to take, or when a worker may be there for a chunk. */
  constructor(wake: () => void) {
    this.#wake = wake
  }

  add(report: Report): void {
    this.#reports.push(report)
    this.#wake()
  }

  /** A worker can be given chunks, or one can be started that could not be before. */
  wake(): void {
    this.#wake()
  }

  take(): Report | undefined {
    return this.#reports.shift()
  }
}
