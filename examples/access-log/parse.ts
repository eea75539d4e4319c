/**
 * The task: turns one line of an access log into a small record. It is in a separate module, because every worker
 * imports it.
 */
import { task } from 'millrace'

/** What is counted of a well-formed line. Small, since it is copied from a worker to the main thread for every line. */
export interface Entry {
  readonly address: string
  /** Hour of the day as logged, in the server's own time zone. */
  readonly hour: number
  /** Without the query string; the whole request where that is no HTTP. */
  readonly path: string
  readonly status: number
  /** Bytes of the answer; 0 where the log has a dash. */
  readonly bytes: number
}

/** What is kept of a line that is not in the combined format. */
export interface Malformed {
  /** The line; its start and its end where it is long. */
  readonly malformed: string
  /** The status, where the line is in order that far. */
  readonly status: number | undefined
}

// As Apache and nginx write it: a quote within quotes has a backslash before it. The inner loop cannot match the same text
// in two ways, so that no line, however hostile, takes more than linear time.
const QUOTED = String.raw`"([^"\\]*(?:\\.[^"\\]*)*)"`
const TIME = String.raw`\[[0-3]\d/[A-Z][a-z]{2}/\d{4}:([01]\d|2[0-3]):[0-5]\d:[0-6]\d [+-]\d{4}\]`
const START = String.raw`^(\S+) \S+ \S+ ${TIME} ${QUOTED} ([1-5]\d\d)`

/** Address, identity, user, [time], "request", status, bytes, "referrer", "user agent"; nothing more, nothing less. */
const COMBINED = new RegExp(String.raw`${START} (\d{1,15}|-) ${QUOTED} ${QUOTED}$`, 's')
const IN_ORDER_UP_TO_STATUS = new RegExp(String.raw`${START}(?: |$)`, 's')

/** Longer lines are malformed, in characters: no server lets a request grow that far, and a match costs stack. */
const LONGEST = 65_536
/** How much of a malformed line is kept, in characters: the end too, since that is where a line that was cut off shows it. */
const KEPT = 240

export const parse = task(import.meta.url, 'parse', (line: string): Entry | Malformed => {
  const [, address, hour, request, status, bytes] = (line.length <= LONGEST ? COMBINED.exec(line) : null) ?? []
  if (address === undefined || request === undefined) return { malformed: excerpt(line), status: statusOf(line) }
  return {
    address,
    hour: Number(hour),
    path: pathOf(request),
    status: Number(status),
    bytes: bytes === '-' ? 0 : Number(bytes),
  }
})

function statusOf(malformed: string): number | undefined {
  const status = IN_ORDER_UP_TO_STATUS.exec(malformed.slice(0, LONGEST))?.[4]
  return status === undefined ? undefined : Number(status)
}

/** `GET /a?b=c HTTP/1.1` to `/a`. */
function pathOf(request: string): string {
  const target = /^[A-Z]+ (\S+)/.exec(request)?.[1]
  if (target === undefined) return request === '' ? '-' : request
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

function excerpt(line: string): string {
  return line.length <= KEPT ? line : `${line.slice(0, KEPT / 2)}…${line.slice(-KEPT / 2)}`
}
