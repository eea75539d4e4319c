/** The options of a cluster, and their defaults. */
import { inspect } from 'node:util'
import { typeError } from '../errors.js'
import { OptionReader } from '../options.js'
import type { Compression } from '../cluster/unit-message.js'
import type { Credentials, TlsFiles } from './connection.js'

/** Options of a cluster. */
export interface ClusterOptions {
  /** Addresses of NATS servers, such as `'tls://nats.example:4222'`: one or several of the same cluster of servers. */
  readonly servers: string | readonly string[]
  /**
   * How this program proves who it is: the path of a `.creds` file, `{ nkey: path }`, `{ user, pass }`, or `{ token }`.
   * The path of an nkey is that of a file with its seed. Files are read again for each connection. It is never part of an error. Default:
   * the path in the environment variable `NATS_CREDS`, if it is set.
   */
  readonly credentials?: ClusterCredentials
  /** Paths of files in PEM format, for TLS. Default: the certificate authorities of the system. */
  readonly tls?: ClusterTls
  /** Whether servers on other machines may be used without TLS. Others can read and change what is sent. Default: false. */
  readonly insecure?: boolean
  /** Which cluster, of several on the same servers. 1 to 32 of `a-z`, `0-9` and `-`. Default: `'default'`. */
  readonly namespace?: string
  /** The name to which the permissions of this program are bound, in the same form. Default: `'any'`. */
  readonly name?: string
  /** Which hosts are used, in the same form. Default: `'any'`. */
  readonly group?: string
  /** Modules of tasks, by keys that you choose: the key that a host gives to it with `--module`. Default: by file. */
  readonly modules?: Readonly<Record<string, string | URL>>
  /** The version of all modules, such as the id of a commit. Hosts of this version are used. Default: a hash of each file. */
  readonly version?: string
  /** The most bytes of encoded items that are sent and not done: an integer of at least 1. Default: 268,435,456 (256 MiB). */
  readonly maxBytes?: number
  /**
   * How long items wait where no host offers their module, in milliseconds: an integer of at least 0, or `Infinity`.
   * Then the stream throws a `NoHostsError`. Default: 30,000.
   */
  readonly patience?: number
  /**
   * How items and results are compressed on their way. `'deflate'`: from 4 KiB in a message, on other threads. The
   * limit of a message, `max_payload` of the server, counts before that. Default: `'none'`.
   */
  readonly compression?: 'none' | 'deflate'
  /**
   * Gives the trace that a stream belongs to: a text of W3C Trace Context, or undefined. It is called for each chunk, in
   * the async context of the stream. Tasks get it as `context.traceparent`, for OpenTelemetry. If it throws, or gives
   * something else, the stream throws that error or an `ERR_INVALID_OPTION`. Default: none.
   */
  readonly traceparent?: () => string | undefined
}

/** How a program proves to NATS who it is. */
export type ClusterCredentials = Credentials

/** Paths of files in PEM format. */
export type ClusterTls = TlsFiles

export interface ReadOptions {
  readonly servers: readonly string[]
  readonly credentials: Credentials | undefined
  readonly tls: TlsFiles | undefined
  readonly insecure: boolean
  readonly namespace: string
  readonly name: string
  readonly group: string
  readonly modules: ReadonlyMap<string, string>
  readonly version: string | undefined
  readonly maxBytes: number
  readonly patience: number
  readonly compression: Compression
  readonly traceparent: (() => unknown) | undefined
}

const ACTION = 'make a cluster'
const NAME_FORM = /^[a-z0-9-]{1,32}$/
const MAX_BYTES = 256 * 2 ** 20
const PATIENCE_MS = 30_000

export function readOptions(options: ClusterOptions): ReadOptions {
  const read = new OptionReader<ClusterOptions>(
    ACTION,
    options,
    [
      'servers',
      'credentials',
      'tls',
      'insecure',
      'namespace',
      'name',
      'group',
      'modules',
      'version',
      'maxBytes',
      'patience',
      'compression',
      'traceparent',
    ],
    '. Workers, initializers and limits of memory belong to hosts: see npx millrace worker --help',
  )
  const named = (option: 'namespace' | 'name' | 'group', fallback: string): string =>
    read.value(option, "1 to 32 of 'a-z', '0-9' and '-'", (value) => typeof value === 'string' && isName(value)) ??
    fallback
  const modules = read.value('modules', 'an object of URLs', isModules) ?? {}
  return {
    servers: readServers(read),
    credentials: readCredentials(read) ?? process.env.NATS_CREDS,
    tls: read.value('tls', 'an object { ca?, cert?, key? } of paths', isTls),
    insecure: read.boolean('insecure') ?? false,
    namespace: named('namespace', 'default'),
    name: named('name', 'any'),
    group: named('group', 'any'),
    modules: new Map(Object.entries(modules).map(([key, url]) => [key, String(url)])),
    version: read.value('version', "1 to 64 letters, digits, and '.', '_', '+', '-'", isVersion),
    maxBytes: read.integer('maxBytes', 1) ?? MAX_BYTES,
    patience: read.milliseconds('patience') ?? PATIENCE_MS,
    compression:
      read.value('compression', "'none' or 'deflate'", (value) => value === 'none' || value === 'deflate') ?? 'none',
    traceparent: read.value('traceparent', 'a function', (value) => typeof value === 'function'),
  }
}

/** Also those of hosts. */
export function isName(value: string): boolean {
  return NAME_FORM.test(value)
}

export function isVersion(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.+-]{1,64}$/.test(value)
}

/** `host`, `host:port`, `nats://host:port`, `tls://host:port`. */
export function isServer(value: unknown): value is string {
  return typeof value === 'string' && /^((nats|tls):\/\/)?(\[[\da-f:]+\]|[^\s:/@[\]]+)(:\d{1,5})?\/?$/i.test(value)
}

function readServers(read: OptionReader<ClusterOptions>): readonly string[] {
  const given = read.any('servers')
  const servers: unknown = typeof given === 'string' ? [given] : given
  if (Array.isArray(servers) && servers.length > 0 && servers.every(isServer)) return servers
  // An address can have a password in it, so it is not shown.
  const expected = "addresses of NATS servers, such as 'tls://nats.example:4222', without a user and password in them"
  read.fail(typeError, 'servers', expected, given === undefined ? undefined : new Hidden())
}

function readCredentials(read: OptionReader<ClusterOptions>): Credentials | undefined {
  const given = read.any('credentials')
  if (given === undefined || isCredentials(given)) return given
  const expected = 'the path of a .creds file, { nkey: path }, { user, pass } or { token }'
  read.fail(typeError, 'credentials', expected, new Hidden())
}

function isCredentials(value: unknown): value is Credentials {
  if (typeof value === 'string') return value !== ''
  const { nkey, user, pass, token, ...rest } = Object(value) as Record<string, unknown>
  const isGiven = [nkey, token, user].filter((part) => typeof part === 'string' && part !== '').length === 1
  return isGiven && (typeof pass === 'string') === (user !== undefined) && Object.keys(rest).length === 0
}

function isTls(value: unknown): boolean {
  const { ca, cert, key, ...rest } = Object(value) as Record<string, unknown>
  const paths = [ca, cert, key].filter((path) => path !== undefined)
  const isWhole = (cert === undefined) === (key === undefined) && Object.keys(rest).length === 0
  return isWhole && typeof value === 'object' && paths.every((path) => typeof path === 'string' && path !== '')
}

function isModules(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every((url) => URL.canParse(String(url)))
}

/** Stands for a value that may have a secret in it, in the text of an error. */
class Hidden {
  [inspect.custom](): string {
    return 'another value, which is not shown'
  }
}
