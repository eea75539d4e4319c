/** A chunk of records as bytes for another machine, and back: the wire format beside JSON and V8's serializer. */
import { isDeepStrictEqual } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { unpack } from '#dist/codec/codec.js'
import { decodeData, encodeValues } from '#dist/wire/data.js'
import type { Case, Contender } from '../harness/case.js'

const RECORDS = 1_000
const REPEATS = 500

const AGENTS = ['curl/8.0', 'Mozilla/5.0 (X11; Linux x86_64)', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)']

const records = Array.from({ length: RECORDS }, (_, i) => ({
  host: `10.${i % 7}.${i % 251}.${(i * 7) % 253}`,
  user: i % 10 === 0 ? `user${i}` : '-',
  time: new Date(1.6e12 + 1_000 * i).toISOString(),
  method: i % 5 === 0 ? 'POST' : 'GET',
  path: `/page/${(i * 17) % 1_000}/item?x=${i}`,
  status: i % 10 === 0 ? 404 : 200,
  bytes: (i * 37) % 5_000,
  agent: AGENTS[i % AGENTS.length],
}))

interface Work {
  readonly repeats: number
}

interface Codec {
  readonly encode: (values: unknown[]) => Uint8Array
  readonly decode: (bytes: Uint8Array) => unknown
}

const WIRE: Codec = { encode: encodeValues, decode: (bytes) => unpack(decodeData(bytes, RECORDS)) }
const JSON_TEXT: Codec = {
  encode: (values) => Buffer.from(JSON.stringify(values)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as unknown,
}
const V8: Codec = { encode: serialize, decode: deserialize }

/** Microseconds for a chunk, one way. */
function contender(name: string, { encode, decode }: Codec, way: keyof Codec, kind?: 'millrace'): Contender<Work> {
  return {
    name: `${name}: ${way}`,
    ...(kind !== undefined && { kind }),
    open: ({ repeats }) => ({
      run: () => {
        const encoded = encode(records)
        let decoded: unknown
        const start = performance.now()
        for (let i = 0; i < repeats; i++) {
          if (way === 'encode') encode(records)
          else decoded = decode(encoded)
        }
        const figure = ((performance.now() - start) * 1e3) / repeats
        if (way === 'encode') decoded = decode(encode(records))
        return Promise.resolve({ figure, answer: isDeepStrictEqual(decoded, records) })
      },
    }),
  }
}

const wireCase: Case<Work> = {
  name: 'wire',
  title: 'records as bytes for another machine',
  unit: { name: 'µs', digits: 0, better: 'less' },
  prepare: (scale) => ({
    parameters: { repeats: Math.ceil(REPEATS * scale) },
    answer: true,
    about: `${RECORDS.toLocaleString('en')} records of 8 fields; wire: ${encodeValues(records).length.toLocaleString('en')} bytes, JSON: ${JSON_TEXT.encode(records).length.toLocaleString('en')}, v8: ${V8.encode(records).length.toLocaleString('en')}`,
  }),
  contenders: [
    contender('millrace', WIRE, 'encode', 'millrace'),
    contender('JSON', JSON_TEXT, 'encode'),
    contender('v8.serialize', V8, 'encode'),
    contender('millrace', WIRE, 'decode', 'millrace'),
    contender('JSON', JSON_TEXT, 'decode'),
    contender('v8.serialize', V8, 'decode'),
  ],
  goals: [
    { ours: 'millrace: encode', measure: 'figure', atMost: 500 },
    { ours: 'millrace: encode', against: 'JSON: encode', measure: 'advantage', atLeast: 1 },
    { ours: 'millrace: decode', measure: 'figure', atMost: 200 },
    { ours: 'millrace: decode', against: 'JSON: decode', measure: 'advantage', atLeast: 1 },
  ],
}

export default wireCase
