/** `millrace hosts`: lists the hosts that answer, and what they offer. */
import { decodeHost, type HostInfo } from '../cluster/messages.js'
import { readFlags, type Command, type Flags } from './command.js'
import { brokerOf, CONNECT_MS, CONNECTION_FLAGS } from './connection-flags.js'

const flags: Flags = {
  ...CONNECTION_FLAGS,
  group: { type: 'string', value: 'NAME', help: 'only hosts of this group. Default: all' },
  wait: { type: 'string', value: 'TIME', help: 'how long hosts may take to answer. Default: 500ms' },
  json: { type: 'boolean', help: 'a line of JSON for each host' },
}

const WAIT_MS = 500

export const hosts: Command = {
  summary: 'List hosts, and the modules that they offer',
  flags,
  async run(args) {
    const { values } = readFlags(flags, args, false)
    const wait = values.duration('wait') ?? WAIT_MS
    const { broker, names } = brokerOf(values, 'hosts', '_INBOX_obs', CONNECT_MS)
    const group = values.text('group')
    await broker.open()
    try {
      const answers = (await broker.ask(names.hosts, new Uint8Array(0), wait)).map(decodeHost)
      const found = answers
        .filter((host) => host !== undefined)
        .filter((host) => group === undefined || host.group === group)
      found.sort((a, b) => (a.name < b.name ? -1 : 1))
      if (values.isSet('json')) for (const host of found) console.log(JSON.stringify(host))
      else console.log(found.length === 0 ? 'No host has answered' : table(found))
      return 0
    } finally {
      await broker.close()
    }
  },
}

function table(found: readonly HostInfo[]): string {
  const rows = found.map(({ name, group, slots, held, isDraining, modules }) => [
    name,
    group,
    `${slots}`,
    `${held}${isDraining ? ', draining' : ''}`,
    modules.join(' '),
  ])
  const all = [['host', 'group', 'slots', 'units', 'modules'], ...rows]
  const widths = all[0]?.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0))) ?? []
  // Names are from other machines: no control characters reach the terminal.
  const line = (row: readonly string[]): string => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')
  return all
    .map((row) =>
      line(row)
        .trimEnd()
        .replace(/\p{Cc}/gu, '?'),
    )
    .join('\n')
}
