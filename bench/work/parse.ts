/**
 * One line of an access log to a record. It does not use a library: every contender in JavaScript runs this function.
 * `../peers/pool_imap.py` has its counterpart.
 */

/** The record of a line. */
export interface Hit {
  readonly ip: string
  readonly user: string
  readonly time: string
  readonly method: string
  readonly path: string
  /** 0 for a malformed line. */
  readonly status: number
  readonly bytes: number
  readonly agent: string
}

/** Address, identity, user, [time], "request", status, bytes, "referrer", "user agent". */
const COMBINED = /^(\S+) \S+ (\S+) \[([^\]]+)\] "(\S+) (\S+)[^"]*" (\d{3}) (\d+|-) "[^"]*" "([^"]*)"$/

/** By a regular expression, as in most programs. */
export function parse(line: string): Hit {
  const [, ip, user = '', time = '', method = '', path = '', status, bytes, agent = ''] = COMBINED.exec(line) ?? []
  if (ip === undefined) return malformed(line)
  return { ip, user, time, method, path, status: Number(status), bytes: bytes === '-' ? 0 : Number(bytes), agent }
}

/** The same by hand: for the contender that shows how fast one thread can be. */
export function parseByHand(line: string): Hit {
  const ip = line.indexOf(' ')
  const identity = line.indexOf(' ', ip + 1)
  const user = line.indexOf(' [', identity + 1)
  const time = line.indexOf('] "', user)
  const method = line.indexOf(' ', time + 3)
  const path = line.indexOf(' ', method + 1)
  const request = line.indexOf('" ', path)
  const bytes = line.indexOf(' ', request + 6)
  const agent = line.indexOf('" "', bytes)
  if (user === -1 || time === -1 || path === -1 || request === -1 || agent === -1) return malformed(line)
  return {
    ip: line.slice(0, ip),
    user: line.slice(identity + 1, user),
    time: line.slice(user + 2, time),
    method: line.slice(time + 3, method),
    path: line.slice(method + 1, path),
    status: Number(line.slice(request + 2, request + 5)),
    bytes: line[request + 6] === '-' ? 0 : Number(line.slice(request + 6, bytes)),
    agent: line.slice(agent + 3, -1),
  }
}

function malformed(line: string): Hit {
  return { ip: '', user: '', time: '', method: '', path: line, status: 0, bytes: 0, agent: '' }
}
