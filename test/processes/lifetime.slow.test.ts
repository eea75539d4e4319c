/** Worker processes end with the program that has started them, however it ends. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { gone } from '../support/process-state.js'
import { runProgram, type Ending } from '../support/programs.js'

function pidsIn(stdout: string): number[] {
  return JSON.parse(stdout.split('\n')[0] ?? '') as number[]
}

async function run(what: string, options: { kill?: NodeJS.Signals } = {}): Promise<Ending & { pids: number[] }> {
  const ending = await runProgram('process-pool.js', [what], options)
  expect(ending.stderr).toBe('')
  return { ...ending, pids: pidsIn(ending.stdout) }
}

describe('worker processes end when their program', () => {
  it('ends by itself, which it does without closing the pool', async () => {
    const { code, pids } = await run('ends')
    expect(code).toBe(0)
    await gone(pids)
  })

  it('awaits their end by terminate(), which keeps it alive', async () => {
    const { code, stdout, pids } = await run('terminates')
    expect(code).toBe(0)
    expect(stdout).toMatch(/\nterminated\n$/)
    await gone(pids)
  })

  it('calls process.exit()', async () => {
    const { code, pids } = await run('exits')
    expect(code).toBe(5)
    await gone(pids)
  })

  it('is killed while they are idle', async () => {
    const { signal, pids } = await run('idle', { kill: 'SIGKILL' })
    expect(signal).toBe('SIGKILL')
    await gone(pids)
  })

  it('is killed while they are in an endless loop', async () => {
    const { signal, pids } = await run('spin', { kill: 'SIGKILL' })
    expect(signal).toBe('SIGKILL')
    await gone(pids)
  })

  it('is killed while an initializer is in an endless loop', async () => {
    const { signal, pids } = await run('begins', { kill: 'SIGKILL' })
    expect(signal).toBe('SIGKILL')
    await gone(pids)
  })

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`gets ${signal}, as all processes of its group: it ends as without the library`, async () => {
      const path = fileURLToPath(new URL('../fixtures/programs/process-pool.js', import.meta.url))
      const child = spawn(process.execPath, [path, 'spin'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
      let stdout = ''
      const ended = once(child, 'close')
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
        if (/^ready$/m.test(stdout) && child.pid !== undefined) process.kill(-child.pid, signal)
      })
      expect(await ended).toEqual([null, signal])
      await gone(pidsIn(stdout))
    })
  }
})

it('a signal that ends workers while they start is not a failed start', async () => {
  const path = fileURLToPath(new URL('../fixtures/programs/process-pool.js', import.meta.url))
  const child = spawn(process.execPath, [path, 'signalled'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  expect(await once(child, 'close')).toEqual([0, null])
  expect(stdout).toMatch(/\ndone\n$/)
  await gone(pidsIn(stdout))
})

it('worker processes of a thread end with the thread', async () => {
  const worker = new Worker(new URL('../fixtures/programs/process-pool.js', import.meta.url), {
    argv: ['spin'],
    stdout: true,
  })
  let stdout = ''
  worker.stdout.setEncoding('utf8')
  for await (const text of worker.stdout) {
    stdout += String(text)
    if (/^ready$/m.test(stdout)) break
  }
  await worker.terminate()
  await gone(pidsIn(stdout))
})

it('a script with the isMainThread of node:worker_threads gets an error that says which one to import', async () => {
  const { code, stderr } = await runProgram('process-guard.js')
  expect(code).toBe(1)
  expect(stderr).toContain(
    "import { isMainThread } from 'millrace' (that of node:worker_threads is true in a worker process)",
  )
})
