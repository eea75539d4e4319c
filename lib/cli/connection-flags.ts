/** The flags by which a command reaches its cluster. Secrets are in files or in the environment, not in arguments. */
import { NatsBroker } from '../nats/broker.js'
import type { Credentials } from '../nats/connection.js'
import { isName, isServer } from '../nats/options.js'
import { Names } from '../cluster/names.js'
import { UsageError, type Flags, type Values } from './command.js'

export const CONNECTION_FLAGS: Flags = {
  servers: {
    type: 'string',
    multiple: true,
    value: 'URL',
    help: 'a NATS server; may be repeated. Default: nats://127.0.0.1:4222',
  },
  creds: { type: 'string', value: 'FILE', help: 'a .creds file. Default: the path in NATS_CREDS' },
  nkey: {
    type: 'string',
    value: 'FILE',
    help: 'the seed of an nkey. Or set NATS_USER and NATS_PASSWORD, or NATS_TOKEN',
  },
  ca: {
    type: 'string',
    value: 'FILE',
    help: "the authority that has signed the server's certificate. Default: the system's",
  },
  cert: { type: 'string', value: 'FILE', help: 'a certificate of this program, with --key' },
  key: { type: 'string', value: 'FILE', help: 'its private key' },
  insecure: { type: 'boolean', help: 'allow servers on other machines without TLS' },
  namespace: { type: 'string', value: 'NAME', help: "which cluster on these servers. Default: 'default'" },
  group: { type: 'string', value: 'NAME', help: "the group of hosts. Default: 'any'" },
}

export interface Reached {
  readonly broker: NatsBroker
  readonly names: Names
  readonly namespace: string
  readonly group: string
}

/** How long other commands than `worker` try to reach a server, in milliseconds. */
export const CONNECT_MS = 10_000

/** @param inbox Of the command's role: what its permissions allow. */
export function brokerOf(values: Values, role: string, inbox: string, wait: number): Reached {
  const [ca, cert, key] = [values.text('ca'), values.text('cert'), values.text('key')]
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key must be given together')
  const files = Object.entries({ ca, cert, key }).filter(([, path]) => path !== undefined)
  const servers = values.texts('servers').length > 0 ? values.texts('servers') : ['nats://127.0.0.1:4222']
  if (!servers.every(isServer)) {
    // It can have a password in it.
    throw new UsageError('--servers must be an address such as tls://nats.example:4222, without a user and password')
  }
  const namespace = nameOf(values, 'namespace') ?? 'default'
  const group = nameOf(values, 'group') ?? 'any'
  const broker = new NatsBroker({
    servers,
    credentials: credentialsOf(values),
    tls: files.length > 0 ? Object.fromEntries(files) : undefined,
    insecure: values.isSet('insecure'),
    name: `millrace ${role}`,
    inbox,
    wait,
  })
  return { broker, names: new Names({ namespace, group }), namespace, group }
}

export function nameOf(values: Values, flag: string): string | undefined {
  return values.matching(flag, "1 to 32 of 'a-z', '0-9' and '-'", isName)
}

function credentialsOf(values: Values): Credentials | undefined {
  const [creds, nkey] = [values.text('creds'), values.text('nkey')]
  if (creds !== undefined && nkey !== undefined) throw new UsageError('--creds and --nkey cannot both be given')
  if (creds !== undefined) return creds
  if (nkey !== undefined) return { nkey }
  const { NATS_CREDS, NATS_USER, NATS_PASSWORD = '', NATS_TOKEN } = process.env
  if (NATS_CREDS) return NATS_CREDS
  if (NATS_USER) return { user: NATS_USER, pass: NATS_PASSWORD }
  return NATS_TOKEN ? { token: NATS_TOKEN } : undefined
}
