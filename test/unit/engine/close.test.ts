import { describe, expect, it } from 'vitest'
import { slow } from '../../../src/testing/chaos-store.ts'
import type { Cache } from '../../../src/core/cache.ts'
import { openFleet, track, watch } from './stage.ts'

describe('close', () => {
  it('lets the loads that are running finish, and stores what they bring', async () => {
    const { a, b, clock, source } = openFleet()
    const call = track(clock, a.getOrSet('k', source.takes(1000)))
    await clock.advance(10)
    const closed = track(clock, a.close())
    await clock.advance(989)
    expect(closed.state).toBe('pending')
    await clock.advance(1)
    expect(closed.state).toBe('fulfilled')
    expect(call.value).toBe('load 1')
    expect(await b.get('k')).toBe('load 1')
    expect(clock.pendingTimers).toBe(0)
  })

  it('abandons what is still running after closeTimeout: callers are told, loaders aborted, leases given up', async () => {
    const { a, b, clock, source } = openFleet({ closeTimeout: '2s', lease: '10s' })
    const calls = [1, 2].map(() => track(clock, a.getOrSet('k', source.hangs())))
    await clock.advance(10)
    const closed = track(clock, a.close())
    await clock.advance(2000)
    expect(closed.state).toBe('fulfilled')
    for (const call of calls) expect(call).toMatchObject({ state: 'rejected', error: { code: 'CACHE_CLOSED' } })
    expect(source.contexts[0]!.signal.reason).toMatchObject({ code: 'CACHE_CLOSED' })
    expect(clock.pendingTimers).toBe(0)
    const next = track(clock, b.getOrSet('k', source.takes(10)))
    await clock.advance(10)
    expect(next.value).toBe('load 2')
  })

  it('leaves no cooldown behind for a load it abandoned', async () => {
    const { a, b, clock, source } = openFleet({ closeTimeout: 0, errorCooldown: '1h' })
    a.getOrSet('k', source.hangs()).catch(() => {})
    await clock.advance(10)
    void a.close()
    await clock.advance(1)
    const next = track(clock, b.getOrSet('k', source.takes(10)))
    await clock.advance(10)
    expect(next.value).toBe('load 2')
  })

  it('ends a wait for another process', async () => {
    const { a, b, clock, source } = openFleet({ closeTimeout: '1s' })
    void a.getOrSet('k', source.takes(60_000), { timeout: { hard: '1h' } })
    await clock.settle()
    const waiting = track(clock, b.getOrSet('k', source.takes(10)))
    await clock.advance(10)
    const closed = track(clock, b.close())
    await clock.advance(1000)
    expect(closed.state).toBe('fulfilled')
    expect(waiting).toMatchObject({ state: 'rejected', error: { code: 'CACHE_CLOSED' } })
  })

  it('does not start a load whose lease is granted after it was abandoned, and gives the lease back', async () => {
    for (const stale of [false, true]) {
      const { a, b, clock, source, store, until } = openFleet({
        closeTimeout: 0,
        ttl: '1s',
        staleWhileRevalidate: '1h',
        lease: '30s',
      })
      if (stale) await until(a.set('k', 'old'))
      await clock.advance(1500)
      store.script = ({ command, client }) => (command === 'acquire' && client === 0 ? slow(0, 50) : undefined)
      a.getOrSet('k', source.takes(60_000), { timeout: { hard: '1h' } }).catch(() => {})
      await clock.settle()
      const closed = track(clock, a.close())
      await clock.advance(100)
      expect([closed.state, source.loads], `stale: ${stale}`).toEqual(['fulfilled', 0])
      await until(b.delete('k'))
      expect(await until(b.getOrSet('k', source.takes(10)))).toBe('load 1')
    }
  })

  it('lets a call that is still reading load, as long as it waits for other loads', async () => {
    const { a, clock, source, store } = openFleet()
    store.script = ({ command, key }) => (command === 'read' && key === 'k' ? slow(0, 50) : undefined)
    void a.getOrSet('other', source.takes(100))
    await clock.settle()
    const call = track(clock, a.getOrSet('k', source.takes(500)))
    const closed = track(clock, a.close())
    await clock.advance(1000)
    expect(call).toMatchObject({ value: 'load 2', at: 550 })
    expect(closed.at).toBe(550)
  })

  it('answers calls that came before it and are still reading', async () => {
    const { a, clock, source, store } = openFleet()
    store.script = ({ command }) => (command === 'read' ? slow(0, 50) : undefined)
    const miss = track(clock, a.getOrSet('k', source.takes(500)))
    const got = track(clock, a.get('k'))
    const closed = track(clock, a.close())
    await clock.advance(600)
    expect(miss).toMatchObject({ value: 'load 1', at: 550 })
    expect(got).toMatchObject({ state: 'fulfilled', at: 50 })
    expect(closed.at).toBe(550)
  })

  it.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['set', cache => cache.set('k', 'new')],
    ['delete', cache => cache.delete('k')],
    ['expire', cache => cache.expire('k')],
    ['invalidateTags', cache => cache.invalidateTags('red')],
    ['clear', cache => cache.clear()],
  ])('lets %s arrive that came before it', async (_, write) => {
    const { a, b, clock, store, until } = openFleet()
    await until(a.set('k', 'old', { tags: ['red'] }))
    store.script = ({ client }) => (client === 0 ? slow(50, 0) : undefined)
    const written = track(clock, write(a))
    const closed = track(clock, a.close())
    await clock.advance(200)
    expect([written.value, closed.state]).toEqual(['applied', 'fulfilled'])
    const entry = await until(b.getEntry('k'))
    expect(entry?.fresh === true && entry.value === 'old').toBe(false)
  })

  it('starts no loader once closeTimeout has ended: a call that was still reading is told', async () => {
    const { a, clock, source, store } = openFleet({ closeTimeout: 20 })
    store.script = ({ command, key }) => (command === 'read' && key === 'k' ? slow(0, 50) : undefined)
    const call = track(clock, a.getOrSet('k', source.takes(500)))
    a.getOrSet('other', source.hangs()).catch(() => {})
    await clock.settle()
    const closed = track(clock, a.close())
    await clock.advance(60)
    expect(closed.state).toBe('fulfilled')
    expect(call).toMatchObject({ state: 'rejected', error: { code: 'CACHE_CLOSED', key: 'k' } })
    expect(source.contexts.map(({ key }) => key)).not.toContain('k')
    expect(clock.pendingTimers).toBe(0)
  })

  it('waits for background refreshes too, and starts no new ones', async () => {
    const { a, b, clock, source, until } = openFleet({ ttl: '1s', staleWhileRevalidate: '1m' })
    await until(a.set('k', 'old'))
    await clock.advance(1500)
    await a.getOrSet('k', source.takes(100))
    await clock.settle()
    const closed = track(clock, a.close())
    await clock.advance(100)
    expect(closed.state).toBe('fulfilled')
    expect(await b.get('k')).toBe('load 1')
  })

  it('lets no call that came before it begin a refresh', async () => {
    const { a, clock, source, store, until } = openFleet({ ttl: '1s', staleWhileRevalidate: '1m' })
    await until(a.set('k', 'old'))
    await clock.advance(1500)
    store.script = ({ command }) => (command === 'read' ? slow(20, 20) : undefined)
    const reading = track(clock, a.getOrSet('k', source.takes(10)))
    const closed = track(clock, a.close())
    await clock.advance(200)
    expect(reading.value).toBe('old')
    expect(closed.state).toBe('fulfilled')
    expect(source.loads).toBe(0)
  })

  it('may be called twice, and both wait for the end', async () => {
    const { a, clock, source } = openFleet()
    void a.getOrSet('k', source.takes(1000))
    await clock.settle()
    const first = track(clock, a.close())
    const second = track(clock, a.close())
    await clock.advance(999)
    expect([first.state, second.state]).toEqual(['pending', 'pending'])
    await clock.advance(1)
    expect([first.state, second.state]).toEqual(['fulfilled', 'fulfilled'])
    await a.close()
  })

  it('does not touch the other caches of the store', async () => {
    const { a, b, clock, source, until } = openFleet()
    await until(a.close())
    expect(await until(b.getOrSet('k', source.takes(10)))).toBe('load 1')
    expect(clock.pendingTimers).toBe(0)
  })

  it('of an idle cache is immediate', async () => {
    const { a, clock } = openFleet()
    const records = watch(a, 'store-error')
    const closed = track(clock, a.close())
    await clock.settle()
    expect(closed.state).toBe('fulfilled')
    expect(clock.pendingTimers).toBe(0)
    expect(records).toEqual([])
  })

  it('outlives a loader that settles afterwards', async () => {
    const { a, clock, source } = openFleet({ closeTimeout: 10 })
    a.getOrSet('k', source.takes(500)).catch(() => {})
    a.getOrSet('other', source.fails(500)).catch(() => {})
    await clock.settle()
    const closed = track(clock, a.close())
    await clock.advance(20)
    expect(closed.state).toBe('fulfilled')
    await clock.advance(1000)
    expect(source.running).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })
})
