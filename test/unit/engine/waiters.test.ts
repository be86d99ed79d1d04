import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Waiters } from '../../../src/core/flights/waiters.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'
import { track } from './stage.ts'

const never = new AbortController().signal

function open() {
  const clock = virtualClock()
  const waiters = new Waiters()
  const wait = (id: string, ms = 1000, signal = never) => {
    const waiter = waiters.register(id)
    return { waiter, waited: track(clock, waiter.wait(clock, ms, signal)) }
  }
  return { clock, waiters, wait }
}

describe('a waiter', () => {
  it('is woken by its own lease and by no other', async () => {
    const { clock, waiters, wait } = open()
    const [one, other] = [wait('a'), wait('b')]
    waiters.wake('a')
    await clock.settle()
    expect([one.waited.state, other.waited.state]).toEqual(['fulfilled', 'pending'])
  })

  it('is woken together with all others of the lease', async () => {
    const { clock, waiters, wait } = open()
    const all = [wait('a'), wait('a'), wait('a')]
    waiters.wake('a')
    await clock.settle()
    expect(all.map(({ waited }) => waited.state)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('does not wait when it was woken before it began to', async () => {
    const { clock, waiters } = open()
    const waiter = waiters.register('a')
    waiters.wake('a')
    const waited = track(clock, waiter.wait(clock, 1000, never))
    await clock.settle()
    expect(waited.state).toBe('fulfilled')
    expect(clock.pendingTimers).toBe(0)
  })

  it('leaves nothing behind: no listener with its signal, no lease that nobody waits for', async () => {
    const { clock, waiters, wait } = open()
    const { signal } = new AbortController()
    const [one, other] = [wait('a', 1000, signal), wait('a', 1000, signal)]
    expect([getEventListeners(signal, 'abort').length, waiters.leases]).toEqual([2, 1])
    waiters.wake('a')
    await clock.settle()
    expect(getEventListeners(signal, 'abort')).toEqual([])
    one.waiter.close()
    expect(waiters.leases).toBe(1)
    other.waiter.close()
    expect(waiters.leases).toBe(0)
  })

  it('gives up after its time', async () => {
    const { clock, wait } = open()
    const { waited } = wait('a', 1000)
    await clock.advance(999)
    expect(waited.state).toBe('pending')
    await clock.advance(1)
    expect(waited.state).toBe('fulfilled')
  })

  it('gives up when its signal aborts, or has', async () => {
    const { clock, wait } = open()
    const abandon = new AbortController()
    const { waited } = wait('a', 1000, abandon.signal)
    abandon.abort()
    const late = wait('a', 1000, abandon.signal)
    await clock.settle()
    expect([waited.state, late.waited.state]).toEqual(['fulfilled', 'fulfilled'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('hears nothing once it is closed, and does not disturb those who stay', async () => {
    const { clock, waiters, wait } = open()
    const [gone, stays] = [wait('a'), wait('a')]
    gone.waiter.close()
    gone.waiter.close()
    waiters.wake('a')
    await clock.settle()
    expect([gone.waited.state, stays.waited.state]).toEqual(['pending', 'fulfilled'])
  })

  it('looks again whenever the bus goes or comes', async () => {
    const { clock, waiters, wait } = open()
    for (const live of [false, true]) {
      const { waited } = wait('a')
      waiters.setBus(live)
      await clock.settle()
      expect(waited.state).toBe('fulfilled')
    }
  })
})

describe('patience', () => {
  it('is the rest of the lease and the jitter while the bus is up', () => {
    const { waiters } = open()
    expect([0, 1, 20].map(round => waiters.patience(1000, 30, round))).toEqual([1030, 1030, 1030])
    expect(waiters.patience(-5, 30, 0)).toBe(30)
    // A timer of more than 24 days would fire at once.
    expect(waiters.patience(1e12, 30, 0)).toBe(60_030)
  })

  it('doubles from 25 ms to 250 ms while it is down, and is never longer than the lease', () => {
    const { waiters } = open()
    waiters.setBus(false)
    expect([0, 1, 2, 3, 4, 50].map(round => waiters.patience(1000, 30, round))).toEqual([25, 50, 100, 200, 250, 250])
    expect(waiters.patience(10, 5, 8)).toBe(15)
  })
})
