/** The settings of the log. All threads of the program share their cells, so each sees a change at once. */

/** How much a record matters, and how much the log lets through. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** From the one that lets nothing through to the one that lets everything through. */
export const LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const

/** The cells: the level, by its place in `LEVELS`; whether records go to stderr; whether `console` writes some. */
const LEVEL = 0
const STDERR = 1
const CONSOLE = 2
const CELLS = 3

/** Undefined until something of them is set, or a thread is started: all cells are 0 until then. */
let cells: Int32Array<SharedArrayBuffer> | undefined

/** The cells, for a thread that this one starts. */
export function logSettings(): Int32Array<SharedArrayBuffer> {
  return (cells ??= new Int32Array(new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT)))
}

/** Uses those of the thread that has started this one. In a process: takes over their values. */
export function takeLogSettings(given: Int32Array): void {
  if (isShared(given)) cells = given
  else logSettings().set(given)
}

function isShared(given: Int32Array): given is Int32Array<SharedArrayBuffer> {
  return given.buffer instanceof SharedArrayBuffer
}

/** Told of changes that this thread makes: worker processes have copies of the cells. */
const listeners = new Set<(cells: Int32Array) => void>()

/** @returns Ends that. */
export function onLogSettings(listener: (cells: Int32Array) => void): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

export function logLevel(): LogLevel | 'silent' {
  return LEVELS[load(LEVEL)] ?? 'silent'
}

export function setLogLevel(level: LogLevel | 'silent'): void {
  store(LEVEL, LEVELS.indexOf(level))
}

export function isLogged(level: LogLevel): boolean {
  return LEVELS.indexOf(level) <= load(LEVEL)
}

export function goesToStderr(): boolean {
  return load(STDERR) === 1
}

export function sendToStderr(): void {
  store(STDERR, 1)
}

export function logsConsole(): boolean {
  return load(CONSOLE) === 1
}

export function setLogsConsole(logs: boolean): void {
  store(CONSOLE, logs ? 1 : 0)
}

function store(cell: number, value: number): void {
  const own = logSettings()
  Atomics.store(own, cell, value)
  for (const listener of listeners) listener(Int32Array.from(own))
}

function load(cell: number): number {
  return cells === undefined ? 0 : Atomics.load(cells, cell)
}
