/** The public part of the log: writing into it, its level, and its targets. */
import { format } from 'node:util'
import { received, typeError } from '../../errors.js'
import { currentProcess } from '../../identity.js'
import { isConsoleLogged } from '../../log/console.js'
import { OptionReader } from '../../options.js'
import { emit, setTarget, type LogTarget } from '../../log/record.js'
import {
  isLogged,
  LEVELS,
  logLevel,
  sendToStderr,
  setLogLevel,
  setLogsConsole,
  type LogLevel,
} from '../../log/settings.js'

/** Writes into the log of the program, in the name of the thread that calls it. */
export interface Logger {
  /**
   * The lowest level that is written. The whole program has one level: each of its threads sees a change at once.
   * Default: `'silent'`.
   */
  level: LogLevel | 'silent'
  /** Writes a record. Its text is formatted as by `console.log`. A record below the level costs almost nothing. */
  debug(message: unknown, ...args: unknown[]): void
  /** As `debug()`. */
  info(message: unknown, ...args: unknown[]): void
  /** As `debug()`. */
  warn(message: unknown, ...args: unknown[]): void
  /** As `debug()`. */
  error(message: unknown, ...args: unknown[]): void
}

/** Options of the log. */
export interface LogOptions {
  /**
   * Whether the methods of `console` write into the log, in workers and processes that start from now on.
   * `console.debug` and `console.warn` write at their own level. `console.error`, `console.trace` and failed assertions
   * write errors. Everything else is written at `'info'`. The level of the log does not hold these lines back. They
   * skip a logger that their own thread has by `logTo()`, because that logger may print, too. Otherwise lines go to
   * stdout and stderr, without the name of their thread. `false` restores that at once. Default: unchanged. It is false
   * at first, and after `logTo(null)`.
   */
  readonly console?: boolean
}

/** The only logger of this thread. */
const logger: Logger = {
  get level() {
    return logLevel()
  },
  set level(level) {
    assertLevel('set the level of the log', level, LEVELS)
    setLogLevel(level)
  },
  debug: (message, ...args) => {
    write('debug', message, args)
  },
  info: (message, ...args) => {
    write('info', message, args)
  },
  warn: (message, ...args) => {
    write('warn', message, args)
  },
  error: (message, ...args) => {
    write('error', message, args)
  },
}

/**
 * The log of this library, into which you can write. Every call gives the same logger.
 *
 * A record has the name of the thread that writes it (`currentProcess().name`). It goes to the main thread by a
 * message, which a busy main thread reads later. There `logToStderr()` and `logTo()` decide where it is written. It is
 * also published, as a `LogRecord`, on the channel `millrace:log` of `node:diagnostics_channel`. Nothing is written
 * until you call one of them, or set `level`.
 *
 * The library logs starts, ends and replacements of workers and processes at `'info'`. It logs items that fail or
 * exceed their `timeout` at `'warn'`. Workers that die or cannot start, and uncaught errors, are logged at `'error'`.
 * Each of these has a channel, too: see `Diagnostics`.
 *
 * @example
 * ```ts
 * import { isMainThread, map, task } from 'millrace'
 * import { getLogger, logTo } from 'millrace/multiprocessing'
 *
 * const half = task(import.meta.url, 'half', (n: number) => {
 *   if (n % 2 === 1) getLogger().warn('%d is odd', n)
 *   return n / 2
 * })
 *
 * if (isMainThread) {
 *   logTo({ ...console, warn: (text: string) => console.log(text.replace(/-\d/, '')) }, 'warn')
 *   await map(half, [2, 3, 4])
 *   // → [default] 3 is odd
 * }
 * ```
 */
export function getLogger(): Logger {
  return logger
}

/**
 * Writes the log of the whole program to stderr: `[INFO/Process-1] started`. You can call it in any thread, and again
 * for another level.
 *
 * @param level The lowest level that is written. Default: `'info'`.
 * @returns The logger, as `getLogger()` gives it.
 * @throws {TypeError} `ERR_INVALID_OPTION`: a level or an option that is not as described.
 *
 * @example
 * ```ts
 * import { logToStderr } from 'millrace/multiprocessing'
 *
 * const logger = logToStderr('warn')
 * logger.warn('the disk is nearly full')
 * logger.info('not written')
 * console.log(logger.level)
 * // → warn
 * ```
 */
export function logToStderr(level: LogLevel = 'info', options?: LogOptions): Logger {
  keep('log to stderr', level, options)
  sendToStderr()
  return logger
}

/**
 * Gives the records of this thread, and of the threads that it starts, to your logger. Each record is one text, such as
 * `[Process-1] started`, for the method of its level. The records do not go to the parent thread then. With
 * `logToStderr()`, they are also written to stderr.
 *
 * @param target `console`, or a logger of pino, winston, bunyan or the like: an object with `debug`, `info`, `warn` and
 * `error`. An error that it throws is an uncaught error. `null` removes the logger. In a worker whose `console` writes
 * into the log, `console` does the same.
 * @param level The lowest level that is written. Default: `'info'`.
 * @returns The logger that writes to it, as `getLogger()` gives it.
 * @throws {TypeError} `ERR_INVALID_OPTION`: a target that lacks a method; a level or an option that is not as
 * described.
 *
 * @example
 * ```ts
 * import { logTo } from 'millrace/multiprocessing'
 *
 * const logger = logTo(console)
 * logger.info('%d files', 3)
 * // → [MainProcess] 3 files
 * ```
 */
export function logTo(target: LogTarget | null, level: LogLevel = 'info', options?: LogOptions): Logger {
  const methods = LEVELS.filter((name) => name !== 'silent')
  const given = target as Partial<Record<LogLevel, unknown>> | null | undefined
  if (given !== null && !methods.every((name) => typeof given?.[name] === 'function')) {
    throw typeError(
      'ERR_INVALID_OPTION',
      `Cannot log to this target as it must have the methods ${methods.join(', ')}: received ${received(target)}`,
    )
  }
  keep('log to this target', level, options)
  if (target === null && options?.console === undefined) setLogsConsole(false)
  setTarget(target === null || (target === console && isConsoleLogged()) ? undefined : target)
  return logger
}

function keep(action: string, level: LogLevel, options: LogOptions | undefined): void {
  assertLevel(
    action,
    level,
    LEVELS.filter((name) => name !== 'silent'),
  )
  const logsConsole = new OptionReader<LogOptions>(action, options, ['console']).boolean('console')
  setLogLevel(level)
  if (logsConsole !== undefined) setLogsConsole(logsConsole)
}

function assertLevel(action: string, level: unknown, levels: readonly string[]): void {
  if (levels.includes(level as string)) return
  throw typeError(
    'ERR_INVALID_OPTION',
    `Cannot ${action} as its level must be one of ${levels.map(received).join(', ')}: received ${received(level)}`,
  )
}

function write(level: LogLevel, message: unknown, args: readonly unknown[]): void {
  if (!isLogged(level)) return
  const { name, pid } = currentProcess()
  emit({ level, message: format(message, ...args), name, pid, time: Date.now() })
}
