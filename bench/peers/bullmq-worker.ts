/** A program that runs jobs of BullMQ, several at once in its own process, which is its fastest form: port, queue, slots. */
import { Worker } from 'bullmq'
import { process as run } from './bullmq-functions.js'

const [port = '', queue = '', slots = '1'] = process.argv.slice(2)
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null }
const worker = new Worker(queue, run, { connection, concurrency: Number(slots) })
await worker.waitUntilReady()
console.log('ready')
