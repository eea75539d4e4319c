/** `console` in a worker: what it would print goes into the log, where it bears the worker's name. */
import { Console } from 'node:console'
import { currentProcess } from '../identity.js'
import { handUp } from './record.js'
import { logsConsole, type LogLevel } from './settings.js'

/** Methods that do not write at the level of `console.log`. */
const LEVEL_OF: Readonly<Record<string, LogLevel>> = {
  debug: 'debug',
  warn: 'warn',
  error: 'error',
  trace: 'error',
  assert: 'error',
}

let isCaptured = false

/** Whether `console` of this thread writes into the log. */
export function isConsoleLogged(): boolean {
  return isCaptured && logsConsole()
}

export function logConsole(): void {
  isCaptured = true
  let level: LogLevel = 'info'
  // All that `Console` asks of a stream, unless it is to ignore errors; each call writes once.
  const stream = {
    write(text: string): void {
      const { name, pid } = currentProcess()
      const message = text.replace(/\n$/, '')
      // At every level of the log, as output must not be lost. It bypasses the logger and the listeners of this thread:
      // these may write by console themselves, which would never end.
      handUp({ level, message, name, pid, time: Date.now() })
    },
  } as NodeJS.WritableStream
  const logging = new Console({ stdout: stream, stderr: stream, ignoreErrors: false })
  for (const [name, method] of Object.entries(logging) as [keyof Console, unknown][]) {
    if (typeof method !== 'function') continue
    const plain = Reflect.get(console, name) as () => unknown
    Object.defineProperty(console, name, {
      configurable: true,
      enumerable: true,
      writable: true,
      value: (...args: unknown[]): unknown => {
        if (!logsConsole()) return Reflect.apply(plain, console, args)
        level = LEVEL_OF[name] ?? 'info'
        return Reflect.apply(method, logging, args)
      },
    })
  }
}
