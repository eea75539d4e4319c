/** The option `partition`: a folder for each key, with names that lead nowhere else. */
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { imap, lines, pipe, Pool, write } from 'millrace'
import { OutputLayout } from '#dist/formats/output-layout.js'
import { RecordFormatter } from '#dist/formats/record-formatter.js'
import { InputFiles } from '#dist/disk/input-files.js'
import { PartitionedOutput } from '#dist/sinks/partitioned-output.js'
import { failsAtFives, same } from '../fixtures/sinks.js'
import { watchRejections } from '../support/rejections.js'
import { useFolder } from './folder.js'
import { watchHandles } from './handles.js'

const folder = useFolder()
const pool = new Pool({ workers: 2, name: 'partitions' })
watchRejections()
afterAll(() => pool.terminate())

describe('partition by a column', () => {
  const rows = [
    { country: 'DE', n: 1 },
    { country: 'FR', n: 2 },
    { country: 'DE', n: 3 },
  ]

  it('writes a folder for each value, all with the same header', async () => {
    const result = await pipe(rows, write(folder.at('out'), { partition: 'country' }))
    expect(folder.files('out')).toEqual(['country=DE/part.csv', 'country=FR/part.csv'])
    expect(folder.read('out', 'country=DE', 'part.csv')).toBe('country,n\nDE,1\nDE,3\n')
    expect(folder.read('out', 'country=FR', 'part.csv')).toBe('country,n\nFR,2\n')
    expect(result).toMatchObject({ read: 3, written: 3, bytesWritten: 35 })
    expect(result.files).toEqual([
      { path: folder.at('out', 'country=DE', 'part.csv'), records: 2, bytes: 20 },
      { path: folder.at('out', 'country=FR', 'part.csv'), records: 1, bytes: 15 },
    ])
  })

  it('writes each format, compressed or not', async () => {
    for (const format of ['ndjson', 'json', 'tsv'] as const) {
      await pipe(rows, write(folder.at(format), { partition: 'country', format, compress: 'gzip' }))
      const text = gunzipSync(readFileSync(folder.at(format, 'country=DE', `part.${format}.gz`))).toString()
      expect(text).toBe(
        {
          ndjson: '{"country":"DE","n":1}\n{"country":"DE","n":3}\n',
          json: '[\n{"country":"DE","n":1},\n{"country":"DE","n":3}\n]\n',
          tsv: 'country\tn\nDE\t1\nDE\t3\n',
        }[format],
      )
    }
  })

  it('never leaves its folder, and no two keys share one', async () => {
    const keys = ['../x', '..', '.', '/etc', 'a/b', 'a\\b', 'C:', '%2F', 'A b', 'ü', 'a*?', "'", '\0', '\n', 'x.', '%']
    const values: unknown[] = [...keys, null, '__HIVE_DEFAULT_PARTITION__', 0, 1n, true, new Date(0)]
    await pipe(
      values.map((k) => ({ k })),
      write(folder.at('out'), { partition: 'k' }),
    )
    const names = folder.files('out')
    expect(names.length).toBe(values.length)
    expect(folder.files()).toEqual(names.map((name) => `out/${name}`))
    for (const name of names) expect(name).toMatch(/^k=(%\w\w|[\w-])*\.?(%\w\w|[\w-])*\/part\.csv$/)
    expect(names).toContain('k=__HIVE_DEFAULT_PARTITION__/part.csv')
    expect(names).toContain('k=%2E.%2Fx/part.csv')
  })

  it('has one folder for records without a value: Spark cannot read a folder with an empty one', async () => {
    const some = [{ k: '', n: 1 }, { k: null, n: 2 }, { k: undefined, n: 3 }, { n: 4 }, { k: 'a', n: 5 }]
    await pipe(some, write(folder.at('out'), { partition: 'k', format: 'ndjson' }))
    expect(folder.files('out')).toEqual(['k=__HIVE_DEFAULT_PARTITION__/part.ndjson', 'k=a/part.ndjson'])
    const text = folder.read('out', 'k=__HIVE_DEFAULT_PARTITION__', 'part.ndjson')
    expect(text).toBe('{"k":"","n":1}\n{"k":null,"n":2}\n{"n":3}\n{"n":4}\n')
  })

  it('fails if no record has the column', async () => {
    const cases = [
      [{}, "records with 'country', 'n'"],
      [{ columns: ['country'] }, 'only records without it'],
      [{ format: 'ndjson' }, 'only records without it'],
    ] as const
    for (const [options, found] of cases) {
      for (const source of [rows, pool.imap(same, rows), pool.imap(same, rows, { errors: 'skip', chunksize: 1 })]) {
        const writing = pipe(source, write(folder.at('out'), { partition: 'contry', ...options }))
        const expected = "Cannot write results as records must have the column of 'partition', 'contry'"
        await expect(writing).rejects.toMatchObject({
          code: 'ERR_OUTPUT_PARTITION',
          message: `${expected}: received ${found} (check its name)`,
        })
        expect(folder.files()).toEqual([])
      }
    }
  })

  it('fails at the first record if its keys are the columns, and the column is not one of them', async () => {
    let given = 0
    const source = (function* () {
      for (; given < 1_000_000; given++) yield { country: 'DE', n: given }
    })()
    const writing = write(folder.at('out'), { partition: 'contry' })(source)
    await expect(writing).rejects.toMatchObject({ code: 'ERR_OUTPUT_PARTITION' })
    expect(given).toBeLessThan(100_000)
  })

  it('takes a column that only some records have, wherever they are', async () => {
    const some = [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4, k: null }]
    for (const chunksize of [1, 4]) {
      const path = folder.at(`chunks-of-${chunksize}`)
      await pipe(pool.imap(same, some, { chunksize }), write(path, { partition: 'k', columns: ['n'] }))
      expect(folder.read(`chunks-of-${chunksize}`, 'k=__HIVE_DEFAULT_PARTITION__', 'part.csv')).toBe('n\n1\n2\n3\n4\n')
    }
  })

  it('writes nothing without records: then no name is wrong', async () => {
    const { files } = await write(folder.at('out'), { partition: 'k' })([])
    expect(files).toEqual([])
  })

  it('fails for a value that is no name', async () => {
    for (const k of [{}, [], Symbol('x'), '\uD800', new Date(NaN)]) {
      const writing = write(folder.at('out'), { partition: 'k', format: 'ndjson' })([{ k: 1 }, { k }])
      await expect(writing).rejects.toThrow(/^Cannot write item 1 as ndjson as its partition/)
      expect(folder.files()).toEqual([])
    }
  })

  it('is the same from workers', async () => {
    const all = Array.from({ length: 2_000 }, (_, n) => ({ n, key: `k${(n * n) % 11}` }))
    await write(folder.at('here'), { partition: 'key' })(all)
    for (const chunksize of [1, 7, 'auto'] as const) {
      await pipe(pool.imap(same, all, { chunksize }), write(folder.at('there'), { partition: 'key' }))
      expect(folder.files('there')).toEqual(folder.files('here'))
      for (const name of folder.files('here')) expect(folder.read('there', name)).toBe(folder.read('here', name))
    }
    const { skipped } = await pipe(
      pool.imap(failsAtFives, all, { errors: 'skip' }),
      write(folder.at('some'), { partition: 'key' }),
    )
    expect(skipped).toBe(400)
  })
})

describe('partition by a function', () => {
  it('writes to the folder that it returns', async () => {
    const partition = ({ n }: { n: number }): string => (n % 2 === 0 ? 'even' : '..')
    const source = pool.imap(same, [{ n: 1 }, { n: 2 }])
    await pipe(source, write(folder.at('out'), { partition, format: 'ndjson' }))
    expect(folder.files('out')).toEqual(['%2E%2E/part.ndjson', 'even/part.ndjson'])
    const fails = write(folder.at('out'), { partition: () => 1 as unknown as string })([{ n: 1 }])
    await expect(fails).rejects.toThrow('its partition must be a string, not empty: received 1')
  })
})

const onLinux = process.platform === 'linux' ? it : it.skip

/** What an open file of this process is; nothing if it was closed meanwhile. */
function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}

describe('many partitions', () => {
  it('have only some files open: others are closed, and appended to', async () => {
    for (const compression of [undefined, { type: 'gzip', level: 1 }] as const) {
      const layout = new OutputLayout({ kind: 'ndjson', partition: 'k' })
      const options = {
        pathOf: (name: string) => folder.at(compression?.type ?? 'plain', name, 'part'),
        compression,
        overwrite: true,
        inputs: new InputFiles(() => []),
        maxOpenFiles: 3,
      }
      const output = new PartitionedOutput(layout, options, (error) => {
        throw error as Error
      })
      const formatter = new RecordFormatter(layout.format)
      for (let n = 0; n < 500; n++) {
        formatter.add({ k: (n * 7) % 20, n }, n)
        if (n % 3 === 0) await output.add(layout.settle(formatter.take(), () => 0).records)
      }
      await output.add(formatter.take())
      await output.drain()
      await output.finish()
      await output.publish()
      for (let k = 0; k < 20; k++) {
        const file = readFileSync(folder.at(compression?.type ?? 'plain', `k=${k}`, 'part'))
        const text = (compression === undefined ? file : gunzipSync(file)).toString()
        const expected = Array.from({ length: 500 }, (_, n) => n).filter((n) => (n * 7) % 20 === k)
        expect(text).toBe(expected.map((n) => `${JSON.stringify({ k, n })}\n`).join(''))
      }
      expect(output.records).toBe(500)
    }
  })

  onLinux('have at most 256 files open', async () => {
    let most = 0
    const count = (): void => {
      const open = readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith(folder.path))
      most = Math.max(most, open.length)
    }
    const restore = await watchHandles(count)
    try {
      await write(folder.at('out'), { partition: 'k' })(Array.from({ length: 600 }, (_, n) => ({ k: n % 300, n })))
    } finally {
      restore()
    }
    expect(most).toBeGreaterThan(200)
    expect(most).toBeLessThanOrEqual(256)
    expect(folder.files('out')).toHaveLength(300)
    expect(folder.read('out', 'k=7', 'part.csv')).toBe('k,n\n7,7\n7,307\n')
  })

  it('leave nothing behind after an error', async () => {
    writeFileSync(folder.at('x'), '')
    const source = (function* () {
      for (let k = 0; k < 300; k++) yield { k }
      throw new Error('broken')
    })()
    await expect(write(folder.at('out'), { partition: 'k' })(source)).rejects.toThrow('broken')
    expect(folder.files()).toEqual(['x'])
  })

  it('can be read with lines()', async () => {
    await pipe(
      imap((k: number) => ({ k }), [1, 2], { workers: 0 }),
      write(folder.at('out'), { partition: 'k' }),
    )
    const read = await imap((line: string) => line, lines(folder.at('out', 'k=2', 'part.csv')), {
      workers: 0,
    }).toArray()
    expect(read).toEqual(['k', '2'])
  })
})
