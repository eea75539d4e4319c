/**
 * The program of a worker process. It takes chunks and control calls from its pipe, and writes into a file how far it is. It ends when the
 * pipe closes: that of a pool that has ended, however it did.
 */
import { PROGRESS_FD } from '../processes/handles.js'
import { ProgressWriter } from '../processes/progress-file.js'
import { createCells, progressCells, restartTime } from './cells.js'
import { listen, post, watchParent } from './child.js'
import { controlsOf, startLoop } from './controls.js'
import type { ChildMessage, ChildSetup, FromChild } from './protocol.js'
import { WorkerLoop } from './worker-loop.js'

const cells = createCells()
const progress = new ProgressWriter(PROGRESS_FD, progressCells(cells))

function tell(message: FromChild): void {
  post(message)
}

/** The first message. */
function begin(setup: ChildSetup): (message: ChildMessage) => void {
  const loop = new WorkerLoop({ post: tell, take: () => undefined }, { ...setup, cells, track: progress.write })
  const controls = controlsOf(setup.worker)
  void start(setup, loop)
  return (message) => {
    if (!('type' in message) || message.type !== 'finalize') loop.receive(message)
    else {
      void controls.finalize(message.name).then((finalized) => {
        tell({ type: 'finalized', ...finalized })
      })
    }
  }
}

async function start({ worker, initializer }: ChildSetup, loop: WorkerLoop): Promise<void> {
  // The initializer may be an endless loop, too.
  if (initializer !== undefined) watchParent()
  await startLoop(loop, worker, initializer, tell)
  // Last, because its start takes time.
  if (initializer === undefined) watchParent()
}

/** A terminal and systemd send these to all processes of a program. The pool ends its workers itself. */
function ignoreSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
}

/**
 * At an exit or an uncaught error, the pool is told which item ran, also in a chunk whose items are not noted. The end of a process takes
 * a while, which the time limit of that item must not count.
 */
function noteEnd(): void {
  process.once('exit', () => {
    restartTime(cells)
    progress.write()
  })
}

ignoreSignals()
noteEnd()
listen(begin)
