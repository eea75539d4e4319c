/** The decoder of each format. Some are kept and used again, as they hold memory or generated code. */
import { CsvDecoder } from './csv-decoder.js'
import { FixedDecoder } from './fixed-decoder.js'
import type { RecordDecoder, RecordFormat } from './format.js'
import { JsonColumnsDecoder } from './json-columns-decoder.js'
import { JsonDecoder } from './json-decoder.js'
import { LineDecoder } from './line-decoder.js'
import { RejectsDecoder } from './rejects-decoder.js'

/** Formats whose decoders are kept; the one that was used longest ago goes first. */
const MAX_FORMATS = 16
/** Decoders that nobody uses, by the keys of their formats. */
const kept = new Map<string, RecordDecoder>()

export function decoderFor(format: RecordFormat): RecordDecoder {
  const key = keyOf(format)
  const decoder = key === undefined ? undefined : kept.get(key)
  if (key === undefined || decoder === undefined) return newDecoder(format)
  kept.delete(key)
  return decoder
}

/** Takes back a decoder that is not used any more. */
export function keepDecoder(format: RecordFormat, decoder: RecordDecoder): void {
  decoder.clear()
  const key = keyOf(format)
  if (key === undefined) return
  kept.delete(key)
  kept.set(key, decoder)
  const [oldest] = kept.keys()
  if (kept.size > MAX_FORMATS && oldest !== undefined) kept.delete(oldest)
}

/** The same for equal formats whose decoders are kept. Undefined: they are made anew. */
function keyOf(format: RecordFormat): string | undefined {
  if (format.kind === 'csv' || format.kind === 'fixed') return format.key
  return format.kind === 'json' && format.columns !== undefined ? JSON.stringify(format) : undefined
}

function newDecoder(format: RecordFormat): RecordDecoder {
  switch (format.kind) {
    case 'lines':
      return new LineDecoder(format)
    case 'json': {
      const { columns } = format
      return columns === undefined ? new JsonDecoder(format) : new JsonColumnsDecoder({ ...format, columns })
    }
    case 'rejects':
      return new RejectsDecoder(format)
    case 'fixed':
      return new FixedDecoder(format)
    case 'csv':
      return new CsvDecoder(format)
  }
}
