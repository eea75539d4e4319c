/**
 * The program of a `Process` in a process of the system: calls its target. It ends when nothing is left to do, or when the pipe closes: that
 * of a program that has ended, however it did. Signals do in it what they do in any Node program.
 */
import { PROGRESS_FD } from '../processes/handles.js'
import { noteUncaught } from '../processes/progress-file.js'
import { endWhenIdle, listen, watchParent } from './child.js'
import { endThread } from './ending.js'
import { runTarget, type TargetSetup } from './process.js'

listen((setup: TargetSetup) => {
  endWhenIdle()
  watchParent()
  void runTarget(setup, (error) => {
    noteUncaught(PROGRESS_FD, error)
  })
  // The program ends, and asks its daemon to.
  return () => {
    void endThread()
  }
})
