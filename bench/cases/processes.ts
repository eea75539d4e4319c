/** Small chunks to worker processes and back. */
import type { Case } from '../harness/case.js'
import { processContenders, type Load } from '../work/process-loads.js'

const KIB = 1_024

const processesCase: Case<Load> = {
  name: 'processes',
  title: 'chunks of 1 KB to worker processes and back',
  unit: { name: 'chunks/s', digits: 0, better: 'more' },
  prepare(scale) {
    const load: Load = { blocks: Math.ceil(20_000 * scale), bytes: KIB, depth: 16 }
    return {
      parameters: load,
      answer: load.blocks * load.bytes,
      about: `${load.blocks.toLocaleString('en')} chunks, ${load.depth} under way`,
    }
  },
  contenders: processContenders(({ blocks }, time) => (blocks * 1_000) / time),
  goals: [
    { ours: 'millrace', measure: 'figure', atLeast: 15_000 },
    { ours: 'millrace', against: 'tinypool, processes', measure: 'advantage', atLeast: 1 },
  ],
}

export default processesCase
