/** The signal of a task, as a worker makes it, without a worker. */
import { pack } from '#dist/codec/codec.js'
import { encodeError } from '#dist/codec/error-codec/encode.js'
import type { EncodedError } from '#dist/codec/error-codec/types.js'
import { createCells, markCancelled } from '#dist/worker/cells.js'
import { RunningChunk } from '#dist/worker/chunk.js'
import type { WorkerJob } from '#dist/worker/protocol.js'

const SEQ = 3
const job: WorkerJob = {
  kind: 'map',
  name: { module: 'm', id: 'task', exported: false },
  concurrency: 1,
  ordered: true,
  stopOnError: false,
}

/** A running chunk, its cells, and how often it has looked for messages. */
function running(receive: (chunk: RunningChunk) => void = () => undefined): {
  chunk: RunningChunk
  cancel: () => void
  received: () => number
} {
  const cells = createCells()
  let received = 0
  const host = {
    worker: 1,
    cells,
    post: () => undefined,
    receive: () => {
      received++
      receive(chunk)
    },
  }
  const chunk: RunningChunk = new RunningChunk([SEQ, 0, 1, 0, false, pack([1]).data], job, host)
  return {
    chunk,
    cancel: () => {
      markCancelled(cells, 0, SEQ)
    },
    received: () => received,
  }
}

/** In Deno, abort() first reads `aborted`. */
class AskingController extends AbortController {
  override abort(reason?: unknown): void {
    if (!this.signal.aborted) super.abort(reason)
  }
}

describe('the signal of a task', () => {
  it('is aborted by the mark in the cells, also where abort() asks `aborted` first', () => {
    const { AbortController: own } = globalThis
    globalThis.AbortController = AskingController
    try {
      const { chunk, cancel } = running()
      const { signal } = chunk
      let fired = 0
      signal.addEventListener('abort', () => fired++)
      expect(signal.aborted).toBe(false)
      cancel()
      // The controller itself reads `aborted` before it has aborted. It is true from then on.
      expect(signal.aborted).toBeDefined()
      expect([signal.aborted, fired]).toEqual([true, 1])
      chunk.cancel()
      expect([signal.aborted, fired]).toEqual([true, 1])
    } finally {
      globalThis.AbortController = own
    }
  })

  it('has the reason of the message that a synchronous task could not receive', () => {
    const reason: EncodedError = encodeError(Object.assign(new RangeError('enough'), { code: 'E_ENOUGH' }))
    const { chunk, cancel, received } = running((chunk) => {
      chunk.cancel(reason)
    })
    const { signal } = chunk
    cancel()
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toBeInstanceOf(RangeError)
    expect(signal.reason).toMatchObject({ message: 'enough', code: 'E_ENOUGH' })
    expect(received()).toBe(1)
  })

  it('has an AbortError as reason where the stream has just ended, and fires once', () => {
    const { chunk, cancel } = running()
    let fired = 0
    chunk.signal.addEventListener('abort', () => fired++)
    cancel()
    chunk.cancel()
    chunk.cancel()
    expect(chunk.signal.reason).toMatchObject({ name: 'AbortError' })
    expect(fired).toBe(1)
  })
})
