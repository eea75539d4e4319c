/**
 * The program of a worker process. It takes chunks and control calls from its pipe, and writes into a file how far it is. It ends when the
 * pipe closes: that of a pool that has ended, however it did.
 */
import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { encodeFrame, FrameReader } from '../codec/frame.js'
import { takeIdentity } from '../identity.js'
import { logConsole } from '../log/console.js'
import { setUpward } from '../log/record.js'
import { logsConsole, takeLogSettings } from '../log/settings.js'
import { MESSAGES_FD, PROGRESS_FD } from '../processes/handles.js'
import { ProgressWriter } from '../processes/progress-file.js'
import { createCells, progressCells, restartTime } from './cells.js'
import { controlsOf } from './controls.js'
import { endThread } from './ending.js'
import { enterWorker } from './guard.js'
import type { ChildMessage, ChildSetup, FromChild } from './protocol.js'
import { WorkerLoop } from './worker-loop.js'

const pipe = new Socket({ fd: MESSAGES_FD })
const cells = createCells()
const progress = new ProgressWriter(PROGRESS_FD, progressCells(cells))
let receive = begin

function post(message: FromChild): void {
  if (pipe.writable) pipe.write(encodeFrame(message))
}

/** The first message. */
function begin(first: unknown): void {
  const setup = first as ChildSetup
  takeIdentity(setup.identity, process.pid)
  takeLogSettings(setup.log)
  if (logsConsole()) logConsole()
  setUpward((record) => {
    post(record)
  })
  const loop = new WorkerLoop({ post, take: () => undefined }, { ...setup, cells, track: progress.write })
  const controls = controlsOf(setup.worker)
  receive = (received) => {
    const message = received as ChildMessage
    if (!('type' in message)) loop.receive(message)
    else if (message.type === 'log') takeLogSettings(message.cells)
    else if (message.type === 'finalize') {
      void controls.finalize(message.name).then((finalized) => {
        post({ type: 'finalized', ...finalized })
      })
    } else loop.receive(message)
  }
  void start(setup, controls, loop)
}

async function start(
  { initializer }: ChildSetup,
  controls: ReturnType<typeof controlsOf>,
  loop: WorkerLoop,
): Promise<void> {
  // The initializer may be an endless loop, too.
  if (initializer !== undefined) watchParent()
  const error = initializer && (await controls.initialize(initializer.name, initializer.args))
  if (error !== undefined) {
    post({ type: 'failedStart', error })
    return
  }
  loop.listen()
  // Last, because its start takes time.
  if (initializer === undefined) watchParent()
}

/** A terminal and systemd send these to all processes of a program. The pool ends its workers itself. */
function ignoreSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
}

/** As in a thread, the pool tells of an uncaught error: it belongs to an item. */
function reportUncaught(): void {
  process.on('uncaughtException', (error) => {
    // A task handles them.
    if (process.listenerCount('uncaughtException') > 1) return
    try {
      progress.noteUncaught(error)
    } finally {
      process.exit(1)
    }
  })
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

/** Ends this process if it is in an endless loop when its pool has ended. */
function watchParent(): void {
  new Worker(new URL('./parent-watch.cjs', import.meta.url), {
    name: 'parent-watch',
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 },
  }).unref()
}

enterWorker()
ignoreSignals()
noteEnd()
reportUncaught()
const reader = new FrameReader((message) => {
  receive(message)
})
pipe.on('data', (bytes: Buffer) => {
  reader.push(bytes)
})
pipe.on('error', () => undefined)
pipe.once('close', () => {
  void endThread()
})
