/** `millrace check`: tries the connection, and each permission that a role needs. Nothing is stored or changed. */
import { NatsBroker } from '../nats/broker.js'
import { ROLES, type Role } from '../nats/roles.js'
import { readFlags, UsageError, type Command, type Flags } from './command.js'
import { brokerOf, CONNECT_MS, CONNECTION_FLAGS, nameOf } from './connection-flags.js'

const flags: Flags = {
  role: { type: 'string', value: 'ROLE', help: `${Object.keys(ROLES).join(', ')}. Default: producer` },
  name: { type: 'string', value: 'NAME', help: "the producer's name. Default: 'any'" },
  ...CONNECTION_FLAGS,
}

export const check: Command = {
  summary: 'Try the connection, and the permissions of a role',
  flags,
  async run(args) {
    const { values } = readFlags(flags, args, false)
    const role = values.text('role') ?? 'producer'
    if (!Object.hasOwn(ROLES, role)) {
      throw new UsageError(`--role must be one of ${Object.keys(ROLES).join(', ')}: received '${role}'`)
    }
    const name = nameOf(values, 'name') ?? 'any'
    const { inbox, publish, subscribe } = ROLES[role as Role]
    const { broker, names, namespace, group } = brokerOf(values, 'check', inbox(name), CONNECT_MS)
    await broker.open()
    try {
      const place = { namespace, group, name, tasks: names.tasks, results: names.results }
      console.log(`✔ connected as ${role}`)
      const published = await tried(broker, 'publish', publish(place))
      const subscribed = await tried(broker, 'subscribe', subscribe(place))
      return published && subscribed ? 0 : 2
    } finally {
      await broker.close()
    }
  },
}

/** @returns Whether all are allowed. */
async function tried(
  broker: NatsBroker,
  action: 'publish' | 'subscribe',
  subjects: readonly string[],
): Promise<boolean> {
  let areAllowed = true
  for (const subject of subjects) {
    const isAllowed = await broker.isAllowed(action, subject)
    console.log(`${isAllowed ? '✔' : '✘ not allowed:'} ${action} ${subject}`)
    areAllowed &&= isAllowed
  }
  return areAllowed
}
