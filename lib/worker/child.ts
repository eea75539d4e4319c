/**
 * What the programs of worker processes and of a `Process` have in common: their pipe, identity and log, uncaught errors, and their end.
 * They end with the process that has started them.
 */
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { encodeFrame, FrameReader } from '../codec/frame.js'
import { takeIdentity, type GivenIdentity } from '../identity.js'
import { logConsole } from '../log/console.js'
import { setUpward } from '../log/record.js'
import { logsConsole, takeLogSettings } from '../log/settings.js'
import { MESSAGES_FD, PROGRESS_FD } from '../processes/handles.js'
import { noteUncaught } from '../processes/progress-file.js'
import { parentWatchFile } from '../worker-file.js'
import { addEnding, endThread } from './ending.js'
import { enterWorker } from './guard.js'
import type { LogMessage } from './protocol.js'

/** What the first message to any process says. */
export interface CommonSetup {
  readonly identity: GivenIdentity
  /** A copy: changes come as messages. */
  readonly log: Int32Array
}

/** How long the handlers of `exit` may wait for the process that has started this one to read, in milliseconds. */
const EXIT_WRITE_MS = 1_000

const pipe = new Socket({ fd: MESSAGES_FD })
/** When this process ends: nothing that is written in another way than at once is sent then. */
let exitAt = Infinity

/** Sends a message to the process that has started this one. */
export function post(message: unknown): void {
  if (!pipe.writable) return
  const frame = encodeFrame(message)
  if (exitAt === Infinity) pipe.write(frame)
  else writeNow(frame)
}

/** For what handlers of `exit` send. After a death, a part of what was posted before may be left: nothing can follow that. */
function writeNow(frame: Uint8Array): void {
  if (pipe.writableLength > 0) return
  const wait = new Int32Array(new SharedArrayBuffer(4))
  for (let at = 0; at < frame.length && performance.now() < exitAt + EXIT_WRITE_MS;) {
    try {
      at += writeSync(MESSAGES_FD, frame, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
      Atomics.wait(wait, 0, 0, 1)
    }
  }
}

/** Settles when all that was posted has left this process. */
async function flushed(): Promise<void> {
  // Where nothing is left to send, it must not begin anything: this thread ends when nothing is under way.
  if (!pipe.writable || pipe.writableLength === 0) return
  await new Promise<void>((resolve) => {
    pipe.write(new Uint8Array(0), () => {
      resolve()
    })
  })
}

/** Lets this process end when nothing but its pipe keeps it alive. */
export function endWhenIdle(): void {
  pipe.unref()
}

/**
 * Takes messages from now on.
 *
 * @param begin Takes the first message, and returns what takes all others except those for the log.
 */
export function listen(begin: (setup: never) => (message: never) => void): void {
  let receive: ((message: never) => void) | undefined
  enterWorker()
  reportUncaught()
  addEnding(flushed)
  process.once('exit', () => {
    exitAt = performance.now()
  })
  const reader = new FrameReader((message) => {
    if (receive === undefined) {
      takeCommon(message as CommonSetup)
      receive = begin(message as never)
    } else if (isOfLog(message)) takeLogSettings(message.cells)
    else receive(message as never)
  })
  pipe.on('data', (bytes: Buffer) => {
    reader.push(bytes)
  })
  pipe.on('error', () => undefined)
  pipe.once('close', () => {
    void endThread()
  })
}

function takeCommon({ identity, log }: CommonSetup): void {
  takeIdentity(identity, process.pid)
  takeLogSettings(log)
  if (logsConsole()) logConsole()
  setUpward(post)
}

function isOfLog(message: unknown): message is LogMessage {
  return (message as Partial<LogMessage>).type === 'log'
}

/** As in a thread, the other process tells of an uncaught error. */
function reportUncaught(): void {
  process.on('uncaughtException', (error) => {
    // A task handles them.
    if (process.listenerCount('uncaughtException') > 1) return
    try {
      noteUncaught(PROGRESS_FD, error)
    } finally {
      process.exit(1)
    }
  })
}

/** Ends this process if it is in an endless loop when the one that has started it has ended. */
export function watchParent(): void {
  new Worker(parentWatchFile(), {
    name: 'parent-watch',
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 },
  }).unref()
}
