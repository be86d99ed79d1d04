import { describe, expect, it } from 'vitest'
import { EventLoopDelay } from '../../../src/core/flights/event-loop-delay.ts'
import type { AcquireRequest } from '../../../src/core/ports.ts'
import { openFleet } from './stage.ts'

describe('the length of a lease', () => {
  it('is as configured while the event loop keeps up', () => {
    const delay = new EventLoopDelay()
    expect(delay.leaseMs(1000, 0)).toBe(1000)
    delay.observe(300, 0)
    expect(delay.leaseMs(1000, 0)).toBe(1000)
  })

  it('is three times the worst recent delay where that is longer, but ten leases at most', () => {
    const delay = new EventLoopDelay()
    delay.observe(500, 0)
    expect(delay.leaseMs(1000, 0)).toBe(1500)
    delay.observe(60_000, 0)
    expect(delay.leaseMs(1000, 0)).toBe(10_000)
  })

  it('forgets half of a delay each minute', () => {
    const delay = new EventLoopDelay()
    delay.observe(1000, 0)
    expect(delay.current(60_000)).toBe(500)
    expect(delay.leaseMs(1000, 60_000)).toBe(1500)
    expect(delay.leaseMs(1000, 300_000)).toBe(1000)
  })

  it('goes by the worst delay, not the last', () => {
    const delay = new EventLoopDelay()
    delay.observe(1000, 0)
    delay.observe(10, 1000)
    expect(delay.current(1000)).toBeGreaterThan(980)
    delay.observe(990, 1000)
    expect(delay.current(1000)).toBe(990)
  })

  it('grows for the next load after one whose renewals came late', async () => {
    const { a, clock, source, store, until } = openFleet({ lease: '300ms' })
    const { setTimeout } = clock
    void a.getOrSet('k', source.takes(2000))
    await clock.advance(100)
    // The event loop is held up: what was due long ago fires now.
    clock.setTimeout = (callback, delayMs) => setTimeout(callback, delayMs + 400)
    await clock.advance(3000)
    clock.setTimeout = setTimeout
    await until(a.getOrSet('other', source.takes(10)))
    const lengths = store.calls
      .filter(({ command }) => command === 'acquire')
      .map(({ request }) => (request as AcquireRequest).leaseMs)
    expect(lengths[0]).toBe(300)
    expect(lengths[1]).toBeGreaterThan(1100)
    expect(lengths[1]).toBeLessThanOrEqual(1200)
  })

  it('grows for the next load after one that kept the event loop busy, so that its renewal never got a turn', async () => {
    const { a, clock, store, until } = openFleet({ lease: '300ms' })
    const { now } = clock
    let busyMs = 0
    clock.now = () => now() + busyMs
    await until(a.getOrSet('k', () => ((busyMs += 500), 1)))
    await until(a.getOrSet('other', () => 1))
    const lengths = store.calls
      .filter(({ command }) => command === 'acquire')
      .map(({ request }) => (request as AcquireRequest).leaseMs)
    // 500 ms of work, of which the first third of the lease was no delay.
    expect(lengths).toEqual([300, 1200])
  })
})
