/** Who does what, in a log that names the process of each line. */
import { isMainThread, task } from 'millrace'
import { getLogger, logToStderr, Process } from 'millrace/multiprocessing'

const cook = task(import.meta.url, 'cook', (dish: string): void => {
  getLogger().info('working on the %s', dish)
})

if (isMainThread) {
  // Processes that are started from here on use it, too. The library also writes lines to this log.
  logToStderr('info')
  getLogger().info('working on the menu')
  const processes = ['soup', 'bread', 'cake'].map((dish) => new Process({ target: cook, args: [dish] }))
  for (const process of processes) process.start()
  await Promise.all(processes.map((process) => process.join()))
  for (const process of processes) console.log(process.name, process.exitCode)
}
