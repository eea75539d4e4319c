/** The decoder of each format. Those of CSV are kept and used again, as they hold memory and generated code. */
import { CsvDecoder } from './csv-decoder.js'
import type { RecordDecoder, RecordFormat } from './format.js'
import { JsonDecoder } from './json-decoder.js'
import { LineDecoder } from './line-decoder.js'
import { RejectsDecoder } from './rejects-decoder.js'

/** Formats whose decoders are kept; the one that was used longest ago goes first. */
const MAX_FORMATS = 16
/** Decoders that nobody uses, by the keys of their formats. */
const kept = new Map<string, CsvDecoder>()

export function decoderFor(format: RecordFormat): RecordDecoder {
  switch (format.kind) {
    case 'lines':
      return new LineDecoder(format)
    case 'json':
      return new JsonDecoder(format)
    case 'rejects':
      return new RejectsDecoder(format)
    case 'csv': {
      const decoder = kept.get(format.key)
      kept.delete(format.key)
      return decoder ?? new CsvDecoder(format)
    }
  }
}

/** Takes back a decoder that is not used any more. */
export function keepDecoder(format: RecordFormat, decoder: RecordDecoder): void {
  decoder.clear()
  if (format.kind !== 'csv' || !(decoder instanceof CsvDecoder)) return
  kept.delete(format.key)
  kept.set(format.key, decoder)
  const [oldest] = kept.keys()
  if (kept.size > MAX_FORMATS && oldest !== undefined) kept.delete(oldest)
}
