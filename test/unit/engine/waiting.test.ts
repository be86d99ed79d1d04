import { describe, expect, it, vi } from 'vitest'
import { Waiters, type Waiter } from '../../../src/core/flights/waiters.ts'
import { lostRequest, slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch } from './stage.ts'

describe('a call that finds the lease taken', () => {
  it('is woken by the commit, and gets the value at once', async () => {
    const { a, b, clock, source } = openFleet()
    const records = watch(b, 'wait')
    const holder = track(clock, a.getOrSet('k', source.takes(3000)))
    const waiter = track(clock, b.getOrSet('k', source.takes(3000)))
    await clock.advance(3000)
    expect([holder.at, waiter.at]).toEqual([3000, 3000])
    expect(records).toMatchObject([{ key: 'k', version: 0, waitedMs: 3000, outcome: 'value' }])
  })

  it('asks the store again only when the lease would have ended', async () => {
    const { a, b, clock, source, store } = openFleet({ lease: '1s' })
    void a.getOrSet('k', source.takes(10_000))
    void b.getOrSet('k', source.takes(10_000))
    await clock.advance(9_999)
    expect(store.count('acquire', 1)).toBeLessThanOrEqual(20)
    expect(store.count('read', 1)).toBe(1)
  })

  it('hears a wake-up that overtakes the reply to its own request', async () => {
    const { a, b, clock, source, store } = openFleet()
    store.script = ({ command, client }) => (command === 'acquire' && client === 1 ? slow(0, 80) : undefined)
    void a.getOrSet('k', source.takes(50))
    const waiter = track(clock, b.getOrSet('k', source.takes(50)))
    await clock.advance(161)
    expect(waiter).toMatchObject({ state: 'fulfilled', value: 'load 1' })
  })

  it('goes on at the end of the lease when the wake-up was lost', async () => {
    const { a, b, clock, source } = openFleet({ lease: '1s' }, ({ command }) => (command === 'wake' ? lostRequest() : undefined))
    void a.getOrSet('k', source.takes(500))
    const waiter = track(clock, b.getOrSet('k', source.takes(500)))
    await clock.advance(1100)
    expect(waiter).toMatchObject({ state: 'fulfilled', value: 'load 1' })
  })

  it('is not misled by a wake-up that comes late or twice', async () => {
    const { a, b, c, clock, source } = openFleet({}, ({ command }) => (command === 'wake' ? { kind: 'twice' } : undefined))
    const calls = [a, b, c].map(cache => track(clock, cache.getOrSet('k', source.takes(100))))
    await clock.advance(100)
    expect(calls.map(({ value }) => value)).toEqual(['load 1', 'load 1', 'load 1'])
    expect(source.loads).toBe(1)
  })

  it('takes over from a dead holder within the lease and 100 ms', async () => {
    for (const lease of [100, 1000, 10_000]) {
      const { a, b, clock, source, store } = openFleet({ lease }, ({ command, client }) =>
        // The holder dies: it got its lease and is never heard of again.
        !['read', 'acquire', 'stamp'].includes(command) && client === 0 ? lostRequest() : undefined,
      )
      void a.getOrSet('k', source.hangs()).catch(() => {})
      await clock.settle()
      const waiter = track(clock, b.getOrSet('k', source.takes(0)))
      await clock.advance(lease + 100)
      expect(waiter).toMatchObject({ state: 'fulfilled', value: 'load 2' })
      expect(store.count('renew', 1)).toBe(0)
    }
  })

  it('takes over from a dead holder in time although the bus is down', async () => {
    const { a, b, clock, source, store } = openFleet({ lease: '1s' }, ({ command, client }) =>
      !['read', 'acquire', 'stamp'].includes(command) && client === 0 ? lostRequest() : undefined,
    )
    await clock.settle()
    store.setBus(false)
    void a.getOrSet('k', source.hangs()).catch(() => {})
    await clock.settle()
    const waiter = track(clock, b.getOrSet('k', source.takes(0)))
    await clock.advance(1100)
    expect(waiter.state).toBe('fulfilled')
  })

  it('polls with backoff while the bus is down, and no longer once it is back', async () => {
    const { a, b, clock, source, store } = openFleet({ lease: '10s' })
    await clock.settle()
    store.setBus(false)
    void a.getOrSet('k', source.takes(9000))
    await clock.settle()
    const waiter = track(clock, b.getOrSet('k', source.takes(9000)))
    await clock.advance(2000)
    const polls = store.calls.filter(({ command, client }) => command === 'acquire' && client === 1).map(({ sentAt }) => sentAt)
    expect(polls.slice(0, 7)).toEqual([0, 25, 75, 175, 375, 625, 875])
    store.setBus(true)
    await clock.settle()
    const before = store.count('acquire', 1)
    await clock.advance(6900)
    expect(store.count('acquire', 1)).toBe(before)
    await clock.advance(200)
    expect(waiter).toMatchObject({ state: 'fulfilled', value: 'load 1', at: 9000 })
  })

  it('looks again when the bus comes back, for the wake-up may have been lost with it', async () => {
    const { a, b, clock, source, store } = openFleet({ lease: '10s' })
    void a.getOrSet('k', source.takes(100))
    const waiter = track(clock, b.getOrSet('k', source.takes(100)))
    await clock.advance(99)
    store.setBus(false)
    await clock.advance(10)
    store.setBus(true)
    await clock.settle()
    expect(waiter).toMatchObject({ state: 'fulfilled', value: 'load 1' })
  })

  it('takes the lease over when the holder stored nothing', async () => {
    const { a, b, clock, source, until } = openFleet()
    const records = watch(b, 'wait')
    const holder = track(clock, a.getOrSet('k', source.fails(100)))
    expect(await until(b.getOrSet('k', source.takes(100)))).toBe('load 2')
    expect(holder.state).toBe('rejected')
    expect(records).toMatchObject([{ waitedMs: 100, outcome: 'granted' }])
    expect(clock.now()).toBe(200)
  })

  it('leaves neither timer nor waiter behind', async () => {
    const registered = vi.spyOn(Waiters.prototype, 'register')
    const forgotten = vi.spyOn(Waiters.prototype, 'forget')
    const { a, b, clock, source, until } = openFleet({ lease: '1s' })
    await until(Promise.all([a, b].map(cache => cache.getOrSet('k', source.takes(3000)))))
    expect(clock.pendingTimers).toBe(0)
    const waiters = registered.mock.results.map(({ value }) => value as Waiter)
    expect(waiters.length).toBeGreaterThan(3)
    expect(forgotten.mock.calls.map(([, waiter]) => waiter)).toEqual(expect.arrayContaining(waiters))
  })
})
