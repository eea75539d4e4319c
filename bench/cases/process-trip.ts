/** One small chunk at a time to worker processes and back. */
import type { Case } from '../harness/case.js'
import { processContenders, type Load } from '../work/process-loads.js'

const tripCase: Case<Load> = {
  name: 'process-trip',
  title: 'one byte to a worker process and back',
  unit: { name: 'µs', digits: 0, better: 'less' },
  prepare(scale) {
    const load: Load = { blocks: Math.ceil(10_000 * scale), bytes: 1, depth: 1 }
    return {
      parameters: load,
      answer: load.blocks,
      about: `${load.blocks.toLocaleString('en')} times, one after the other`,
    }
  },
  contenders: processContenders(({ blocks }, time) => (time * 1_000) / blocks),
  goals: [
    { ours: 'millrace', measure: 'figure', atMost: 120 },
    { ours: 'millrace', against: 'tinypool, processes', measure: 'advantage', atLeast: 1 },
  ],
}

export default tripCase
