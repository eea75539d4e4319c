/** The smallest possible thread: it posts a message, and ends. */
import { parentPort } from 'node:worker_threads'

parentPort?.postMessage(1)
