/** A worker process ends itself: how long until the program knows, compared with a bare child process. */
import { fork } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'millrace'
import type { Case, Contender } from '../harness/case.js'
import { die, now, type Way } from '../work/process-deaths.js'

/** Ends a process, and resolves when that is known. */
type End = (death: { readonly way: Way; readonly path: string }) => Promise<void>

function contender(name: string, way: Way, open: () => { readonly end: End; readonly close?: () => Promise<unknown> }) {
  return {
    name,
    open: () => {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-death-'))
      const path = join(folder, 'time')
      const { end, close } = open()
      return {
        run: async () => {
          await end({ way, path })
          return { figure: now() - Number(readFileSync(path, 'utf8')), answer: 1 }
        },
        close: async () => {
          await close?.()
          rmSync(folder, { recursive: true })
        },
      }
    },
  } satisfies Contender<null>
}

function millrace(name: string, way: Way): Contender<null> {
  const open = () => {
    const pool = new Pool({ workers: 1, isolation: 'process', idleTimeout: Infinity })
    const end: End = async (death) => {
      const exited = new Promise<void>((resolve) => {
        const listener = (): void => {
          unsubscribe('millrace:worker:exit', listener)
          resolve()
        }
        subscribe('millrace:worker:exit', listener)
      })
      await Promise.all([exited, pool.imap(die, [death], { errors: 'settle' }).toArray()])
    }
    return { end, close: () => pool.close() }
  }
  return { ...contender(name, way, open), kind: 'millrace' }
}

const bare = contender('bare process', 'SIGKILL', () => ({
  end: async (death) => {
    const child = fork(new URL('../work/dying-process.js', import.meta.url))
    child.send(death)
    await once(child, 'exit')
  },
}))

const deathCase: Case<null> = {
  name: 'process-death',
  title: 'a worker process ends itself, and its item has failed',
  unit: { name: 'ms', digits: 1, better: 'less' },
  roundsTimes: 4,
  prepare: () => ({ parameters: null, answer: 1, about: 'from its last moment to the error of its item' }),
  contenders: [
    millrace('millrace', 'SIGKILL'),
    millrace('millrace, SIGSEGV', 'SIGSEGV'),
    millrace('millrace, abort()', 'abort'),
    millrace('millrace, exit(3)', 'exit'),
    { ...bare, kind: 'floor', floorOf: 'millrace' },
  ],
  goals: [
    { ours: 'millrace', measure: 'figure', atMost: 50 },
    { ours: 'millrace, SIGSEGV', measure: 'figure', atMost: 50 },
    { ours: 'millrace, abort()', measure: 'figure', atMost: 50 },
    { ours: 'millrace, exit(3)', measure: 'figure', atMost: 50 },
  ],
}

export default deathCase
