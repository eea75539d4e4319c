/** The log, as users see it: who writes into it, how much is let through, and where it goes. */
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

/** Writes into the log of the program, as the thread that it is called in. */
export interface Logger {
  /**
   * How much is let through: records of this level and of those that matter more. One for the whole program: each of
   * its threads sees a change at once. Default: `'silent'`.
   */
  level: LogLevel | 'silent'
  /**
   * Writes a record, of a text that is made as `console.log` makes it. Costs next to nothing when it is not let
   * through.
   */
  debug(message: unknown, ...args: unknown[]): void
  /** As `debug()`. */
  info(message: unknown, ...args: unknown[]): void
  /** As `debug()`. */
  warn(message: unknown, ...args: unknown[]): void
  /** As `debug()`. */
  error(message: unknown, ...args: unknown[]): void
}

/** How the log is to be kept. */
export interface LogOptions {
  /**
   * Whether `console.log()` and the like, in workers and processes that start from now on, write into the log:
   * `console.debug` at its level, `console.warn` at its own, `console.error`, `trace` and failed assertions as errors,
   * everything else at `'info'`; none of it is held back by the level of the log. Such a line passes over a logger that
   * its own thread has by `logTo()`, as that may print, too. Otherwise lines go to stdout and stderr, and nothing tells
   * whose they are; `false` makes them do so again at once. Default: as it was; false at first, and after
   * `logTo(null)`.
   */
  readonly console?: boolean
}

/** The logger of this thread. There is one. */
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
 * A record bears the name of the thread that writes it (`currentProcess().name`), and goes to the main thread: by a
 * message, which a main thread that is busy reads later. There it is written as `logToStderr()` and `logTo()` say, and
 * published, as a `LogRecord`, on the channel `millrace:log` of `node:diagnostics_channel`. Nothing is let through
 * until one of them, or `level`, says so.
 *
 * The library writes of workers and processes: at `'info'` their starts, ends and replacements; at `'warn'` items that
 * fail or take longer than their `timeout`; at `'error'` workers that die or cannot start, and uncaught errors. Each of
 * these has a channel, too: see `Diagnostics`.
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
 * Writes the log of the whole program to stderr: `[INFO/Process-1] started`. May be called in any thread, and again for
 * another level.
 *
 * @param level What is let through: this level and those that matter more. Default: `'info'`.
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
 * Gives the records of this thread, and of the threads that it starts, to your logger: each as one text,
 * `[Process-1] started`, by the method of its level. They go no further up then; with `logToStderr()`, they are written
 * to stderr as well.
 *
 * @param target `console`, or a logger of pino, winston, bunyan or the like: an object with `debug`, `info`, `warn` and
 * `error`. What it throws is an uncaught error. `null`: none any more; and so is, in a worker, a `console` that writes
 * into the log itself.
 * @param level What is let through: this level and those that matter more. Default: `'info'`.
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
