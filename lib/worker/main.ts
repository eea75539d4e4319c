/** The program of a worker thread. It takes chunks from its data port. A finalizer is called through `threads`. */
import { parentPort, receiveMessageOnPort } from 'node:worker_threads'
import { watchThreads } from '../shared/registry.js'
import { logConsole } from '../log/console.js'
import { logsConsole, takeLogSettings } from '../log/settings.js'
import { exposeControls, startLoop } from './controls.js'
import { enterWorker } from './guard.js'
import { takeIdentity } from '../identity.js'
import type { ToWorker, WorkerSetup } from './protocol.js'
import { runProcess, type ProcessSetup } from './process.js'
import { WorkerLoop } from './worker-loop.js'

function runWorker({ port, worker, cells, initializer, controlled, watchHeap }: WorkerSetup): void {
  const loop = new WorkerLoop(
    {
      post: (message, transfer) => {
        port.postMessage(message, transfer)
      },
      take: () => receiveMessageOnPort(port)?.message as ToWorker | undefined,
    },
    { worker, cells: new Int32Array(cells), watchHeap },
  )
  port.on('message', (message: ToWorker) => {
    loop.receive(message)
  })
  // A message that cannot be read would leave its chunk without an answer. As a crash it is reported.
  port.on('messageerror', (error: unknown) => {
    throw error
  })
  if (controlled) exposeControls(worker)
  void startLoop(loop, worker, initializer, (message) => {
    port.postMessage(message)
  })
}

enterWorker()
watchThreads()
parentPort?.once('message', (setup: WorkerSetup | ProcessSetup) => {
  takeIdentity(setup.identity)
  takeLogSettings(setup.log)
  if (logsConsole()) logConsole()
  if (setup.type === 'process') void runProcess(setup)
  else runWorker(setup)
})
