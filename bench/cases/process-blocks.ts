/** Large chunks to worker processes and back. */
import type { Case } from '../harness/case.js'
import { processContenders, type Load } from '../work/process-loads.js'

const BLOCK_BYTES = 256 * 1_024

const blocksCase: Case<Load> = {
  name: 'process-blocks',
  title: 'chunks of 256 KiB to worker processes and back',
  unit: { name: 'MB/s', digits: 0, better: 'more' },
  prepare(scale) {
    const load: Load = { blocks: Math.ceil(2_000 * scale), bytes: BLOCK_BYTES, depth: 8 }
    return {
      parameters: load,
      answer: load.blocks * load.bytes,
      about: `${load.blocks.toLocaleString('en')} chunks, ${load.depth} under way, counted once`,
    }
  },
  contenders: processContenders(({ blocks, bytes }, time) => (blocks * bytes) / 1_000 / time),
  goals: [
    { ours: 'millrace', measure: 'figure', atLeast: 300 },
    { ours: 'millrace', against: 'tinypool, processes', measure: 'advantage', atLeast: 1 },
  ],
}

export default blocksCase
