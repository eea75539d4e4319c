/**
 * Tasks that wait do not need worker threads. With `workers: 0` a function runs on this thread, 32 items at once. The
 * responses still come in the order of the URLs. The server counts the requests that it has at the same time.
 */
import { imap, type TaskContext } from 'millrace'
import { startServer } from './server.js'

const REQUESTS = 200

/** Any function will do on this thread: it needs no name, and sees the variables around it. */
async function fetchText(url: string, { signal }: TaskContext): Promise<string> {
  const response = await fetch(url, { signal })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return await response.text()
}

const server = await startServer()
try {
  const urls = Array.from({ length: REQUESTS }, (_, n) => `${server.url}/${n}`)
  let inOrder = 0
  for await (const text of imap(fetchText, urls, { workers: 0, concurrency: 32, window: 64 })) {
    if (text === `/${inOrder}`) inOrder++
  }
  console.log(`${inOrder} responses in order, at most ${server.most()} requests at once`)
} finally {
  await server.close()
}
