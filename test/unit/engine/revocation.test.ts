import { describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/core/cache.ts'
import { slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch, type Fleet } from './stage.ts'

const invalidations: readonly [string, (cache: Cache) => Promise<unknown>][] = [
  ['a delete', cache => cache.delete('k')],
  ['an expire', cache => cache.expire('k')],
]

const places: readonly [string, (fleet: Fleet) => Cache][] = [
  ['the same process', fleet => fleet.a],
  ['another process', fleet => fleet.b],
]

describe.each(places)('during a load, from %s', (_place, pick) => {
  it.each(invalidations)('%s keeps its value out of the store', async (_name, invalidate) => {
    const fleet = openFleet()
    const { a, c, clock, source, until } = fleet
    const first = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(50)
    await until(invalidate(pick(fleet)))
    await clock.advance(100)
    expect(first.value).toBe('load 1')
    expect(await c.get('k')).toBeUndefined()
    expect(await until(c.getOrSet('k', source.takes(10)))).toBe('load 2')
  })

  it('a set wins, whenever the load ends', async () => {
    for (const slowness of [undefined, slow(20, 20)]) {
      const fleet = openFleet()
      const { a, c, clock, source, store, until } = fleet
      const first = track(clock, a.getOrSet('k', source.takes(100)))
      await clock.advance(90)
      store.script = () => slowness
      await until(pick(fleet).set('k', 'set'))
      await clock.advance(300)
      expect(first.value).toBe('load 1')
      expect(await until(c.get('k'))).toBe('set')
    }
  })

  it('a set answers those who come after it, though the load goes on', async () => {
    const fleet = openFleet()
    const { a, clock, source, until } = fleet
    const first = track(clock, a.getOrSet('k', source.takes(1000)))
    await clock.advance(50)
    await until(pick(fleet).set('k', 'set'))
    const second = track(clock, a.getOrSet('k', source.takes(1000)))
    await clock.advance(2000)
    expect([first.value, second.value]).toEqual(['load 1', 'set'])
    expect(source.loads).toBe(1)
  })

  it('the next load begins at once: nobody waits for the revoked one', async () => {
    const fleet = openFleet()
    const { a, b, c, clock, source, until } = fleet
    void a.getOrSet('k', source.takes(5000))
    await clock.advance(50)
    await until(pick(fleet).delete('k'))
    const began = clock.now()
    const others = [b, c].map(cache => track(clock, cache.getOrSet('k', source.takes(100))))
    await clock.advance(200)
    expect(others.map(({ value, at }) => [value, at])).toEqual([
      ['load 2', began + 100],
      ['load 2', began + 100],
    ])
  })

  it('waiters of other processes are woken to load for themselves', async () => {
    const fleet = openFleet({ lease: '1s' })
    const { a, c, clock, source, until } = fleet
    void a.getOrSet('k', source.takes(5000))
    await clock.advance(10)
    const waiting = track(clock, c.getOrSet('k', source.takes(100)))
    await clock.advance(10)
    await until(pick(fleet).delete('k'))
    await clock.advance(100)
    expect(waiting).toMatchObject({ state: 'fulfilled', value: 'load 2' })
  })
})

describe('in the process that invalidates', () => {
  it('a new call does not join the revoked load, even before the store has heard of it', async () => {
    const { a, clock, source, store } = openFleet()
    void a.getOrSet('k', source.takes(1000))
    await clock.advance(50)
    store.script = ({ command }) => (command === 'remove' ? slow(20, 20) : undefined)
    const deleted = track(clock, a.delete('k'))
    const during = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(40)
    expect(deleted.state).toBe('fulfilled')
    const after = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(200)
    expect([during.value, after.value]).toEqual(['load 2', 'load 2'])
  })

  it.each<[string, string, (cache: Cache) => Promise<unknown>]>([
    ['a delete', 'load 2', cache => cache.delete('k')],
    ['an expire', 'load 2', cache => cache.expire('k')],
    ['a set', 'set', cache => cache.set('k', 'set')],
  ])('%s makes those who joined the load after it began start over at once', async (_name, value, invalidate) => {
    const { a, clock, source, until } = openFleet()
    const first = track(clock, a.getOrSet('k', source.takes(1000)))
    await clock.advance(50)
    const joined = track(clock, a.getOrSet('k', source.takes(100)))
    await clock.advance(10)
    await until(invalidate(a))
    await clock.advance(100)
    expect(joined).toMatchObject({ state: 'fulfilled', value })
    expect(first.state).toBe('pending')
    await clock.advance(1000)
    expect(first).toMatchObject({ value: 'load 1', at: 1000 })
  })

  it('a load that began while the delete was on its way is not stored either', async () => {
    const { a, b, clock, source, store } = openFleet()
    store.script = ({ command }) => (command === 'remove' ? slow(20, 20) : undefined)
    const deleted = track(clock, a.delete('k'))
    await clock.advance(10)
    const during = track(clock, a.getOrSet('k', source.takes(200)))
    await clock.advance(30)
    expect(deleted.state).toBe('fulfilled')
    const after = track(clock, a.getOrSet('k', source.takes(10)))
    await clock.advance(400)
    expect([during.value, after.value]).toEqual(['load 1', 'load 2'])
    expect(await b.get('k')).toBe('load 2')
  })
})

describe('a revoked load', () => {
  it('is reported when its renewal finds out, and again as a commit that was not sent', async () => {
    const { a, b, clock, source, store, until } = openFleet({ lease: '300ms' })
    const records = watch(a, 'lost', 'commit', 'load')
    void a.getOrSet('k', source.takes(500))
    await clock.advance(50)
    await until(b.delete('k'))
    await clock.advance(600)
    expect(records).toMatchObject([
      { event: 'lost', key: 'k', heldMs: 100 },
      { event: 'load', outcome: 'value' },
      { event: 'commit', outcome: 'lost' },
    ])
    expect(store.count('commit')).toBe(0)
  })

  it('sends those who joined it on their way as soon as its renewal finds out', async () => {
    const { a, b, clock, source, until } = openFleet({ lease: '300ms' })
    void a.getOrSet('k', source.takes(1000))
    await clock.advance(10)
    const joined = track(clock, a.getOrSet('k', source.takes(50)))
    await until(b.delete('k'))
    await clock.advance(150)
    expect(joined).toMatchObject({ value: 'load 2', at: 150 })
  })

  it('is told by its commit when no renewal came first', async () => {
    const { a, b, clock, source, store, until } = openFleet({ lease: '1s' })
    const records = watch(a, 'lost', 'commit')
    void a.getOrSet('k', source.takes(200))
    await clock.advance(50)
    await until(b.delete('k'))
    await clock.advance(600)
    expect(records).toMatchObject([{ event: 'commit', outcome: 'lost' }])
    expect(store.count('commit')).toBe(1)
  })

  it('leaves the lease of its successor alone', async () => {
    const { a, b, c, clock, source, until } = openFleet({ lease: '300ms' })
    void a.getOrSet('k', source.fails(200)).catch(() => {})
    await clock.advance(50)
    await until(b.delete('k'))
    const next = track(clock, b.getOrSet('k', source.takes(1000)))
    await clock.advance(200)
    const waiting = track(clock, c.getOrSet('k', source.takes(10)))
    await clock.advance(1000)
    expect([next.value, waiting.value]).toEqual(['load 2', 'load 2'])
    expect(source.loads).toBe(2)
  })
})
