/** Opens connections to NATS: the client's settings, credentials, TLS, and what to do when it is refused. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import type * as JetStream from '@nats-io/jetstream'
import type * as Transport from '@nats-io/transport-node'
import { ClusterError } from '../cluster/errors.js'

/** How a program proves who it is. */
export type Credentials =
  string | { readonly nkey: string } | { readonly user: string; readonly pass: string } | { readonly token: string }

/** Paths of files in PEM format. */
export interface TlsFiles {
  /** The certificate of the authority that has signed the server's. Default: those of the system. */
  readonly ca?: string
  /** The certificate of this program, where the server asks for one. */
  readonly cert?: string
  /** The private key of `cert`. */
  readonly key?: string
}

export interface ConnectionOptions {
  readonly servers: readonly string[]
  readonly credentials?: Credentials | undefined
  readonly tls?: TlsFiles | undefined
  /** Whether a server off loopback may be used without TLS. */
  readonly insecure?: boolean | undefined
  /** Shown in the server's lists. */
  readonly name: string
  /** The subjects of answers begin with it. */
  readonly inbox: string
  /** How long to try to reach a server, in milliseconds. `Infinity`: a host waits. */
  readonly wait: number
}

/** The packages of the client. They are optional. */
export interface Client {
  readonly transport: typeof Transport
  readonly jetstream: typeof JetStream
}

/** One API call, or one try to publish, in milliseconds. */
export const TRY_MS = 2_000
/** Between two tries to connect, in milliseconds. */
const PAUSE_MS = 250
const JITTER_MS = 100

export function loadClient(): Client {
  const require = createRequire(import.meta.url)
  try {
    return {
      transport: require('@nats-io/transport-node') as typeof Transport,
      jetstream: require('@nats-io/jetstream') as typeof JetStream,
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw new ClusterError(
      'Cannot connect to NATS as its client is not installed: npm install @nats-io/transport-node @nats-io/jetstream',
      'ERR_CLUSTER_SETUP',
      { cause: error },
    )
  }
}

/** Tries until a server takes the connection, refuses it, or `wait` is over. */
export async function connect(
  { transport }: Client,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<Transport.NatsConnection> {
  const settings = settingsOf(transport, options)
  const until = performance.now() + options.wait
  for (;;) {
    const left = until - performance.now()
    try {
      // A single try ends within the time that is left, whatever the server does.
      return await transport.connect({ ...settings, timeout: Math.max(1, Math.min(left, 5_000)) })
    } catch (error) {
      throwRefusal(error as Error, options)
      signal.throwIfAborted()
      if (performance.now() + PAUSE_MS < until) await sleep(PAUSE_MS, undefined, { signal })
      else throw unreachable(error as Error, options)
    }
  }
}

function settingsOf(transport: typeof Transport, options: ConnectionOptions): Transport.NodeConnectionOptions {
  const { servers, credentials, tls, insecure = false, name, inbox } = options
  const areLocal = servers.every(isLoopback)
  const needsTls = tls !== undefined || servers.some((server) => server.startsWith('tls:')) || !(areLocal || insecure)
  return {
    // The client closes a list that it was given.
    servers: [...servers],
    name,
    inboxPrefix: inbox,
    pingInterval: 5_000,
    maxReconnectAttempts: -1,
    // A broker whose users are loaded anew refuses everybody for a moment.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: PAUSE_MS,
    reconnectJitter: JITTER_MS,
    reconnectJitterTLS: JITTER_MS,
    noAsyncTraces: true,
    // Servers that a server tells of can be off loopback, where TLS would be needed.
    ignoreClusterUpdates: areLocal && !needsTls && !insecure,
    ...(needsTls ? { tls: tlsOf(tls ?? {}) } : {}),
    ...(credentials === undefined ? {} : { authenticator: authenticatorOf(transport, credentials) }),
  }
}

function tlsOf({ ca, cert, key }: TlsFiles): Transport.TlsOptions {
  const texts = {
    ca: ca && readText(ca, "'tls.ca'"),
    cert: cert && readText(cert, "'tls.cert'"),
    key: key && readText(key, "'tls.key'"),
  }
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined))
}

/** Reads the file again for each connection, as credentials are replaced while programs run. */
function authenticatorOf(transport: typeof Transport, credentials: Credentials): Transport.Authenticator {
  if (typeof credentials === 'object' && 'token' in credentials) return transport.tokenAuthenticator(credentials.token)
  if (typeof credentials === 'object' && 'user' in credentials) {
    return transport.usernamePasswordAuthenticator(credentials.user, credentials.pass)
  }
  const load = (): Transport.Authenticator => {
    const isCreds = typeof credentials === 'string'
    const path = isCreds ? credentials : credentials.nkey
    const bytes = new TextEncoder().encode(readText(path, "'credentials'").trim())
    const made = isCreds ? transport.credsAuthenticator(bytes) : transport.nkeyAuthenticator(bytes)
    try {
      made('test')
    } catch {
      // The error of the client is not its cause: it could show what the file has.
      const form = isCreds ? 'a .creds file' : 'an nkey seed'
      throw new ClusterError(`Cannot connect to NATS as ${path} is not ${form}`, 'ERR_CLUSTER_REFUSED')
    }
    return made
  }
  let last = load()
  return (nonce) => {
    try {
      last = load()
    } catch {
      // The file is being replaced. An authenticator that throws would end the connection for good.
    }
    return last(nonce)
  }
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ClusterError(
      `Cannot connect to NATS as the file of ${what} cannot be read: ${(error as Error).message}`,
      'ERR_CLUSTER_REFUSED',
      { cause: error },
    )
  }
}

/** Whether a server's address names this machine. */
export function isLoopback(server: string): boolean {
  return /^(\w+:\/\/)?(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?\/?$/i.test(server)
}

/** An error that another try would not cure. */
function throwRefusal(error: Error, { servers }: ConnectionOptions): void {
  const { code = '' } = error as NodeJS.ErrnoException
  const to = servers.join(', ')
  const refuse = (why: string): never => {
    throw new ClusterError(`Cannot connect to ${to} as ${why}`, 'ERR_CLUSTER_REFUSED', { cause: error })
  }
  if (error instanceof ClusterError) throw error
  if (/^(AuthorizationError|UserAuthenticationExpiredError)$/.test(error.name)) {
    refuse("the server refuses these credentials: check 'credentials', and the server's users")
  }
  if (error.message.includes("does not support 'tls'")) {
    refuse("the server has no TLS: set it up there, or accept a connection that others can read with 'insecure: true'")
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    refuse(`the server's certificate has another name: use a host name, not an IP address (${error.message})`)
  }
  if (/^(ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CRL_)/.test(code)) {
    refuse(`TLS failed: check 'tls' (${error.message})`)
  }
}

function unreachable(error: Error, { servers, tls, wait }: ConnectionOptions): ClusterError {
  const why = error.message === '' ? (error as NodeJS.ErrnoException).code : error.message
  // A server that misses a certificate closes the connection without a word.
  const hint = tls !== undefined && tls.cert === undefined ? ". It may ask for a certificate: 'tls.cert'" : ''
  return new ClusterError(
    `Cannot connect to ${servers.join(', ')} as no server answered within ${wait} ms: ${why}${hint}`,
    'ERR_CLUSTER_CONNECT',
    { cause: error },
  )
}
