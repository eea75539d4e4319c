/** Log lines to hosts of a cluster, and parsed lines back: as they are, and compressed. */
import { lines } from 'millrace'
import type { Case, Contender, Measured } from '../harness/case.js'
import { HOSTS, openCluster, SLOTS } from '../work/cluster-loads.js'
import { accessLog, type Log } from '../work/log.js'
import { parse } from '../work/tasks.js'

const LINES = 200_000

function contender(name: string, compression: 'none' | 'deflate', kind?: 'millrace'): Contender<Log> {
  return {
    name,
    ...(kind && { kind }),
    open: async ({ path, size }) => {
      const { cluster, close } = await openCluster({ compression })
      return {
        run: async (): Promise<Measured> => {
          const start = performance.now()
          let answer = 0
          for await (const _ of cluster.imap(parse, lines(path))) answer++
          return { figure: size / 1_000 / (performance.now() - start), answer }
        },
        close,
      }
    },
  }
}

const clusterCase: Case<Log> = {
  name: 'cluster-lines',
  title: 'log lines to hosts of a cluster, and parsed lines back',
  unit: { name: 'MB/s', digits: 1, better: 'more' },
  async prepare(scale) {
    const log = await accessLog(Math.ceil(LINES * scale))
    const about = `${log.lines.toLocaleString('en')} lines, ${HOSTS} hosts with ${SLOTS} slots each`
    return { parameters: log, answer: log.lines, about }
  },
  contenders: [contender('millrace', 'none', 'millrace'), contender('millrace, deflate', 'deflate')],
  goals: [],
}

export default clusterCase
