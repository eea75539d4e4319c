/** What reads Parquet: loaded with the first file, so that programs and workers without one start as fast as before. */
export { decompressorsOf } from './codecs.js'
export { decodeSegments, decodeUnit } from './decode.js'
export { readFooter } from './footer.js'
export { codecsOf, unitsOf } from './units.js'
