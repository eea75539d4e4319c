/**
 * A thread of a worker process that ends the process when its pool has ended. The main thread does that by itself, unless a task blocks it.
 */
import { Socket } from 'node:net'
import { PARENT_FD } from '../processes/handles.js'

/** How long the main thread may take to end by itself, in milliseconds: its `exit` handlers run meanwhile. */
const GRACE_MS = 250

const parent = new Socket({ fd: PARENT_FD })
parent.on('error', () => undefined)
parent.resume()
parent.once('close', () => {
  setTimeout(() => {
    process.kill(process.pid, 'SIGKILL')
  }, GRACE_MS)
})
