/** Real databases that `commit()` writes into: Postgres, and SQLite in a Node that has it. */
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import type { CommitContext, CommitTarget } from 'millrace'

/** How rows and position are written. Split: in two transactions, with a pause between them. A control of the comparison. */
export type Way = 'together' | 'split'

/** In milliseconds. */
const PAUSE = 20

/** The rows of one job, and its position, in a database. */
export interface Store extends CommitTarget<unknown> {
  /** The rows, in the order in which they were written. */
  rows(): Promise<readonly string[]>
  close(): Promise<void>
}

export type StoreName = keyof typeof STORES

/** Where the rows of a job are written for the comparison. @param output The folder of its files. */
export function rowsPath(output: string): string {
  return `${output}.rows.json`
}

const STORES = {
  /** It has a separate schema for each job. */
  postgres: openPostgres,
  /** Its file is in the folder of the job. */
  sqlite: openSqlite,
}

export const STORE_NAMES: readonly StoreName[] = ['postgres', 'sqlite']

/** @param job Its name: of its schema, and of its position. @param folder For a database that is a file. */
export function openStore(name: StoreName, job: string, folder: string, way: Way = 'together'): Promise<Store> {
  return STORES[name](job, folder, way)
}

const MOVE = `INSERT INTO positions (job, position) VALUES ($1, $2)
  ON CONFLICT (job) DO UPDATE SET position = $2 WHERE positions.position = $3`

async function openPostgres(job: string, _folder: string, way: Way): Promise<Store> {
  // It finds the server by the variables of the environment.
  const client = new pg.Client()
  await client.connect()
  // A lock for the job, also for the making of its tables.
  await client.query('SELECT pg_advisory_lock(hashtext($1))', [job])
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${job}`)
  await client.query(`SET search_path TO ${job}`)
  await client.query('CREATE TABLE IF NOT EXISTS positions (job text PRIMARY KEY, position text NOT NULL)')
  await client.query('CREATE TABLE IF NOT EXISTS result (n bigserial PRIMARY KEY, value text NOT NULL)')
  return {
    position: async () => {
      const { rows } = await client.query<{ position: string }>('SELECT position FROM positions WHERE job = $1', [job])
      return rows[0]?.position
    },
    commit: async (items, position, { previous }: CommitContext) => {
      await client.query('BEGIN')
      await client.query('INSERT INTO result (value) SELECT value FROM json_array_elements_text($1) AS value', [
        JSON.stringify(items.map((item) => JSON.stringify(item))),
      ])
      if (way === 'split') {
        await client.query('COMMIT')
        await setTimeout(PAUSE)
        await client.query('BEGIN')
      }
      const { rowCount } = await client.query(MOVE, [job, position, previous])
      await client.query(rowCount === 1 ? 'COMMIT' : 'ROLLBACK')
      return rowCount === 1
    },
    rows: async () => {
      const { rows } = await client.query<{ value: string }>('SELECT value FROM result ORDER BY n')
      return rows.map(({ value }) => value)
    },
    close: () => client.end(),
  }
}

/** What is used of `node:sqlite`. The types of Node 20 do not have it. */
interface Sqlite {
  readonly DatabaseSync: new (path: string, options: { readonly timeout: number }) => SqliteDatabase
}

interface SqliteDatabase {
  exec(sql: string): void
  prepare(sql: string): {
    run(...values: readonly unknown[]): { readonly changes: number }
    get(...values: readonly unknown[]): Readonly<Record<string, unknown>> | undefined
    all(): readonly Readonly<Record<string, unknown>>[]
  }
  close(): void
}

/** How long it waits for another connection, in milliseconds. */
const BUSY_TIMEOUT = 10_000

async function openSqlite(job: string, folder: string, way: Way): Promise<Store> {
  // This version of Node may not have it.
  const module: string = ['node', 'sqlite'].join(':')
  const { DatabaseSync } = (await import(module)) as Sqlite
  const database = new DatabaseSync(`${folder}/${job}.db`, { timeout: BUSY_TIMEOUT })
  database.exec('CREATE TABLE IF NOT EXISTS positions (job TEXT PRIMARY KEY, position TEXT NOT NULL)')
  database.exec('CREATE TABLE IF NOT EXISTS result (n INTEGER PRIMARY KEY, value TEXT NOT NULL)')
  const read = database.prepare('SELECT position FROM positions WHERE job = ?')
  const move = database.prepare(MOVE.replaceAll('$', '?'))
  const insert = database.prepare('INSERT INTO result (value) VALUES (?)')
  return {
    position: () => read.get(job)?.position as string | undefined,
    commit: async (items, position, { previous }) => {
      database.exec('BEGIN IMMEDIATE')
      for (const item of items) insert.run(JSON.stringify(item))
      if (way === 'split') {
        database.exec('COMMIT')
        await setTimeout(PAUSE)
        database.exec('BEGIN IMMEDIATE')
      }
      const isOurs = move.run(job, position, previous).changes === 1
      database.exec(isOurs ? 'COMMIT' : 'ROLLBACK')
      return isOurs
    },
    rows: () =>
      Promise.resolve(
        database
          .prepare('SELECT value FROM result ORDER BY n')
          .all()
          .map(({ value }) => value as string),
      ),
    close: () => {
      database.close()
      return Promise.resolve()
    },
  }
}
