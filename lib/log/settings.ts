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

/** Uses those of the thread that has started this one. */
export function takeLogSettings(given: Int32Array<SharedArrayBuffer>): void {
  cells = given
}

export function logLevel(): LogLevel | 'silent' {
  return LEVELS[load(LEVEL)] ?? 'silent'
}

export function setLogLevel(level: LogLevel | 'silent'): void {
  Atomics.store(logSettings(), LEVEL, LEVELS.indexOf(level))
}

export function isLogged(level: LogLevel): boolean {
  return LEVELS.indexOf(level) <= load(LEVEL)
}

export function goesToStderr(): boolean {
  return load(STDERR) === 1
}

export function sendToStderr(): void {
  Atomics.store(logSettings(), STDERR, 1)
}

export function logsConsole(): boolean {
  return load(CONSOLE) === 1
}

export function setLogsConsole(logs: boolean): void {
  Atomics.store(logSettings(), CONSOLE, logs ? 1 : 0)
}

function load(cell: number): number {
  return cells === undefined ? 0 : Atomics.load(cells, cell)
}
