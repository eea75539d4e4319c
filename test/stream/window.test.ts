/** The count of the items between source and consumer. */
import fc from 'fast-check'
import { Window } from '#dist/stream/window.js'

describe('Window', () => {
  it('gives a place back when the consumer comes back, and not when it is handed a result', () => {
    const window = new Window(3)
    window.enter(3)
    expect(window.room).toBe(0)
    window.hand(2)
    expect([window.room, window.held, window.handed]).toEqual([0, 1, 2])
    window.acknowledge()
    expect([window.room, window.held, window.handed]).toEqual([2, 1, 0])
  })

  it('acknowledges as many as it should, and at most as many as were handed out', () => {
    const window = new Window(5)
    window.enter(5)
    window.hand(3)
    window.acknowledge(2)
    expect([window.room, window.handed]).toEqual([2, 1])
    window.acknowledge(2)
    expect([window.room, window.handed, window.held]).toEqual([3, 0, 2])
    window.acknowledge()
    expect(window.room).toBe(3)
  })

  it('gives places back at once for items without results, and for items that the source did not have', () => {
    const window = new Window(4)
    window.enter(4)
    window.leaveOut(1)
    expect([window.room, window.read]).toEqual([1, 4])
    window.reserve(1)
    expect([window.room, window.read, window.held]).toEqual([0, 4, 4])
    window.settle(0)
    expect([window.room, window.read, window.held]).toEqual([1, 4, 3])
  })

  it('is full, but keeps its count, when it gets smaller than its contents', () => {
    const window = new Window(8)
    window.enter(8)
    window.limit = 2
    expect(window.room).toBe(-6)
    window.hand(8)
    window.acknowledge()
    expect(window.room).toBe(2)
  })

  it('counts every item once, in any order of events', () => {
    const step = fc.record({
      what: fc.constantFrom('enter', 'reserve', 'settle', 'hand', 'leaveOut', 'acknowledge', 'acknowledgeAll'),
      count: fc.integer({ min: 0, max: 5 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const window = new Window(10)
        let [read, reserved, held, handed] = [0, 0, 0, 0]
        for (const { what, count } of steps) {
          if (what === 'enter' && count <= window.room) {
            window.enter(count)
            read += count
            held += count
          } else if (what === 'reserve' && reserved === 0 && count <= window.room) {
            window.reserve(count)
            reserved = count
            held += count
          } else if (what === 'settle' && count <= reserved) {
            window.settle(count)
            read += count
            held -= reserved - count
            reserved = 0
          } else if (what === 'acknowledgeAll' || what === 'acknowledge') {
            window.acknowledge(what === 'acknowledge' ? count : undefined)
            handed -= what === 'acknowledge' ? Math.min(count, handed) : handed
          } else if ((what === 'hand' || what === 'leaveOut') && count <= held - reserved) {
            held -= count
            if (what === 'hand') handed += count
            window[what](count)
          }
          expect([window.read, window.held, window.handed, window.room]).toEqual([
            read,
            held,
            handed,
            10 - held - handed,
          ])
        }
      }),
    )
  })
})
