/** The packages that read Parquet are optional peers: where one is missing, the error says what to install. */
import Module from 'node:module'
import { loadCompressors, loadHyparquet } from '#dist/parquet/package.js'
import { parquet } from '#dist/sources/parquet.js'

type Load = (request: string, ...rest: unknown[]) => unknown
const loader = Module as unknown as { _load: Load }
const load = loader._load

afterEach(() => {
  loader._load = load
})

function hide(name: string): void {
  loader._load = function (this: unknown, request, ...rest) {
    if (request === name) throw Object.assign(new Error('not here'), { code: 'MODULE_NOT_FOUND' })
    return load.call(this, request, ...rest)
  }
}

it('parquet() says so at the call', () => {
  hide('hyparquet')
  expect(() => parquet('a.parquet')).toThrow(expect.objectContaining({ code: 'ERR_MISSING_PACKAGE' }) as Error)
})

it.each([
  ['hyparquet', 'reads Parquet', () => loadHyparquet(), 'parquetRead'],
  ['hyparquet-compressors', 'decompresses LZ4 in Parquet', () => loadCompressors('LZ4'), 'LZ4_RAW'],
] as const)('%s is asked for where it is missing, and found once it is there', (name, what, call, member) => {
  hide(name)
  const message = `Cannot load the package '${name}', which ${what}, as it is not installed: npm install ${name}`
  expect(call).toThrow(expect.objectContaining({ code: 'ERR_MISSING_PACKAGE', message }) as Error)
  loader._load = load
  expect(call()).toHaveProperty(member)
})
