/** Unhandled rejections: a process ends by one, so a test that causes one fails. */
import { Gates, turns } from './gates.js'

/** Watches the tests of this file. After each test come some turns of the event loop, with all its items released. */
export function watchRejections(): readonly unknown[] {
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => {
    unhandled.push(reason)
  }
  beforeAll(() => {
    process.on('unhandledRejection', note)
  })
  afterEach(async () => {
    Gates.openAll()
    await turns(10)
    expect(unhandled.splice(0)).toEqual([])
  })
  afterAll(() => {
    process.off('unhandledRejection', note)
  })
  return unhandled
}
