/** Pipes: two ends, and the effects at one end when the other is gone. */
import type { Worker } from 'node:worker_threads'
import { imap } from 'millrace'
import { EndOfFileError, Lock, Pipe, PipeClosedError, Process } from 'millrace/multiprocessing'
import { reached } from '../../support/reached.js'
import { times } from '../../support/volume.js'
import * as fixtures from '../../fixtures/queues.js'
import { newBoard, READY, ROUNDS, talk } from '../../fixtures/queues.js'

/** Settles when the worker has ended. A planned failure is not an error. */
function ended(worker: Worker): Promise<unknown> {
  worker.on('error', () => {})
  return new Promise((resolve) => worker.once('exit', resolve))
}

describe('a pipe on one thread', () => {
  it('carries items both ways, in order', async () => {
    const [a, b] = Pipe<unknown>()
    await a.send({ to: 'b' })
    await a.send(undefined)
    await b.send(new Map([[1, 2n]]))
    expect([await b.recv(), await b.recv(), await a.recv()]).toEqual([{ to: 'b' }, undefined, new Map([[1, 2n]])])
    const waiting = a.recv()
    await b.send('late')
    expect(await waiting).toBe('late')
  })

  it('says whether there is something to receive', async () => {
    const [a, b] = Pipe<number>()
    expect([await b.poll(), await b.poll(10)]).toEqual([false, false])
    const poll = b.poll(Infinity)
    await a.send(1)
    expect([await poll, await b.poll(), await b.recv(), await b.poll()]).toEqual([true, true, 1, false])
    const end = b.poll(10_000)
    a.close()
    expect(await end).toBe(true)
  })

  it('gives the items that were sent before an end was closed, and then the end of file', async () => {
    const [a, b] = Pipe<number>()
    await a.send(1)
    await a.send(2)
    a.close()
    a.close()
    expect([a.closed, b.closed, await b.recv()]).toEqual([true, false, 1])
    const all: number[] = []
    for await (const n of b) all.push(n)
    expect(all).toEqual([2])
    await expect(b.recv()).rejects.toBeInstanceOf(EndOfFileError)
    await expect(b.recv()).rejects.toMatchObject({ code: 'ERR_END_OF_FILE' })
    await expect(b.send(3)).rejects.toBeInstanceOf(PipeClosedError)
  })

  it('tells a call that waits', async () => {
    const [a, b] = Pipe<number>()
    const waiting = b.recv()
    a.close()
    await expect(waiting).rejects.toBeInstanceOf(EndOfFileError)
  })

  it('says why it cannot be used', async () => {
    const [a, b] = Pipe<unknown>()
    await expect(a.send({ lock: new Lock() })).rejects.toThrow(
      'Cannot send through a pipe as it holds an object that threads share (Lock)',
    )
    await expect(a.send(() => 1)).rejects.toMatchObject({ code: 'ERR_NOT_SERIALIZABLE' })
    await expect(a.poll(-1)).rejects.toThrow("Cannot poll a pipe as 'timeout' must be")
    expect(() => a.recvSync()).toThrow('Cannot receive from a pipe synchronously on the main thread')
    expect(() => {
      a.sendSync(1)
    }).toThrow('Cannot send through a pipe synchronously on the main thread')
    expect(await b.poll()).toBe(false)
    a.close()
    const error = { code: 'ERR_PIPE_CLOSED', message: expect.stringContaining('this end of it is closed') as unknown }
    await expect(a.send(1)).rejects.toMatchObject(error)
    await expect(a.recv()).rejects.toMatchObject(error)
    await expect(a.poll()).rejects.toMatchObject(error)
    const [c, d] = Pipe<number>()
    const waiting = c.recv()
    c.close()
    await expect(waiting).rejects.toMatchObject(error)
    expect(d.closed).toBe(false)
  })
})

describe('a pipe between threads', () => {
  it.each(['answer', 'answer, blocked', 'pass on'] as const)('carries items both ways (%s)', async (what) => {
    const [here, there] = Pipe<number>()
    const worker = talk(there, newBoard(1), what)
    const end = ended(worker)
    for (let n = 0; n < 200; n++) {
      await here.send(n)
      expect(await here.recv()).toBe(2 * n)
    }
    here.close()
    await end
  })

  it('goes to a task, which closes its end', async () => {
    const [here, there] = Pipe<number>()
    const counted = imap(fixtures.answer, [there])[Symbol.asyncIterator]().next()
    for (let n = 0; n < 10; n++) await here.send(n)
    const all: number[] = []
    for await (const n of here) all.push(n)
    expect(all).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
    expect((await counted).value).toBe(10)
  })

  it('is of the process that it is passed to from its start, so that it can be closed here at once', async () => {
    const [here, there] = Pipe<number>()
    const child = new Process({ target: fixtures.answer, args: [there] })
    child.start()
    there.close()
    for (let n = 0; n < 10; n++) await here.send(n)
    const all: number[] = []
    for await (const n of here) all.push(n)
    expect(all).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
    await child.join()
    expect(child.exitCode).toBe(0)
  })

  it('has an end when the process that it was passed to ended before it arrived there', async () => {
    const [here, there] = Pipe<number>()
    const child = new Process({ target: fixtures.answer, args: [there] })
    child.start()
    await child.terminate()
    await expect(here.recv()).rejects.toBeInstanceOf(EndOfFileError)
  })

  it.each(['send and exit', 'send and throw'] as const)('has an end when the thread has (%s)', async (what) => {
    const [here, there] = Pipe<number>()
    const end = ended(talk(there, newBoard(1), what))
    const all: number[] = []
    for await (const n of here) all.push(n)
    expect(all).toEqual(Array.from({ length: 100 }, (_, n) => n))
    await expect(here.recv()).rejects.toBeInstanceOf(EndOfFileError)
    await end
  })

  it('has an end when the last of the threads that hold it has', async () => {
    const [here, there] = Pipe<number>()
    const board = newBoard(1)
    const workers = [talk(there, board, 'hold'), talk(there, board, 'hold')]
    await reached(board.cells, READY, 2)
    let isOver = false
    const waiting = here.recv().catch((error: unknown) => {
      isOver = true
      return error
    })
    await workers[0]?.terminate()
    expect([isOver, await here.poll(50)]).toEqual([false, false])
    await workers[1]?.terminate()
    expect(await waiting).toBeInstanceOf(EndOfFileError)
    await expect(here.send(1)).rejects.toBeInstanceOf(PipeClosedError)
  })

  it('does not lose an item that a thread had sent before it was ended, at any moment', async () => {
    for (let round = 0; round < 30; round += times(3, 1)) {
      const [here, there] = Pipe<number>()
      const board = newBoard(1)
      const worker = talk(there, board, 'send for ever')
      const end = ended(worker)
      await reached(board.cells, ROUNDS, 1 + round * 7)
      void worker.terminate()
      let count = 0
      for await (const n of here) {
        expect(n).toBe(count++)
        // An item that is there is received at once, without a turn of the event loop. Ends need such a turn.
        if (n % 50 === 0) await new Promise(setImmediate)
      }
      await end
      // It may have ended after it sent an item, and before it counted it.
      expect([0, 1]).toContain(count - (board.put[0] ?? 0))
    }
  })
})

it('an end that was handed to two processes in turn is gone with them: send() and recv() speak of it, not of the other one', async () => {
  const [here, there] = Pipe<number>()
  for (let n = 0; n < 2; n++) {
    const child = new Process({ target: fixtures.answer, args: [there] })
    child.start()
    await child.terminate()
  }
  const reason = /as all threads that had this end have closed it or ended/
  await expect(there.send(1)).rejects.toThrow(reason)
  await expect(there.recv()).rejects.toThrow(reason)
  await expect(here.send(1)).rejects.toThrow('Cannot send through a pipe as its other end is gone')
  await expect(here.recv()).rejects.toBeInstanceOf(EndOfFileError)
})
