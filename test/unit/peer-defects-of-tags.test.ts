import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/index.ts'
import { answered, refused } from '../../src/testing/chaos-store.ts'
import { openFleet, track } from './engine/stage.ts'

/** Defects of tags, groups and `clear` that other caches were seen to have, one test each. */
describe('bentocache', () => {
  it('1: a slow loader does not overwrite a newer invalidation of its tag', async () => {
    const { a, b, c, clock, source, until } = openFleet()
    const slow = track(clock, a.getOrSet('k', source.takes(100), { tags: ['red'] }))
    await clock.advance(50)
    await until(b.invalidateTags('red'))
    await clock.advance(100)
    expect(slow.value).toBe('load 1')
    for (const cache of [a, b, c]) expect(await until(cache.get('k'))).toBeUndefined()
  })

  it('5: a failed look-up of tags is not remembered as "never invalidated"', async () => {
    const { a, b, store, until } = openFleet()
    await until(a.set('k', 'old', { tags: ['red'] }))
    await until(b.invalidateTags('red'))
    store.script = ({ command }) => (command === 'newest-tag' ? refused() : undefined)
    expect(await until(a.get('k'))).toBeUndefined()
    store.script = () => undefined
    expect(await until(a.get('k'))).toBeUndefined()
  })

  it('7: whoever hears of a clear finds the store cleared', async () => {
    const { a, b, until } = openFleet()
    await until(a.set('k', 'old'))
    const seen: unknown[] = []
    a.on('invalidate', () => seen.push(b.get('k')))
    await until(a.clear())
    expect(await until(Promise.all(seen))).toEqual([undefined])
  })

  it("11: the caller's array of tags stays as it is, and what becomes of it later changes nothing", async () => {
    const { a, b, until } = openFleet({ tags: ['all'] })
    const tags = ['red']
    await until(a.getOrSet('k', context => (context.tags.add('found'), 'v'), { tags }))
    expect(tags).toEqual(['red'])
    tags[0] = 'blue'
    await until(b.invalidateTags('blue'))
    expect(await until(b.get('k'))).toBe('v')
  })

  it('12: clear leaves other namespaces alone, whatever the name of its own', async () => {
    const { a, store, clock, until } = openFleet()
    const others = ['test-2', 'tes', 'test.sub'].map(namespace => createCache({ namespace, store, clock }))
    for (const cache of others) await until(cache.set('k', 'kept'))
    await until(a.clear())
    for (const cache of others) expect(await until(cache.get('k'))).toBe('kept')
  })

  it('#83: an entry from before the code named a tag goes with that tag', async () => {
    const { a, source, until } = openFleet()
    await until(a.getOrSet('k', source.takes(1)))
    await until(a.invalidateTags('new'))
    expect(await until(a.getOrSet('k', source.takes(1), { tags: ['new'] }))).toBe('load 2')
  })

  it('#71: nothing stale is answered after its tag was invalidated', async () => {
    const { a, clock, source, until } = openFleet({ ttl: 100, staleWhileRevalidate: '1h', staleIfError: '1h' })
    await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))
    await clock.advance(200)
    await until(a.invalidateTags('red'))
    expect(await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))).toBe('load 2')
  })
})

describe('cacheable', () => {
  it('4: clear reaches the other processes', async () => {
    const { a, b, until } = openFleet({ values: 'freeze' })
    await until(a.set('k', 'old'))
    expect(await until(b.get('k'))).toBe('old')
    await until(a.clear())
    expect(await until(b.get('k'))).toBeUndefined()
  })

  it('6: of invalidations at the same time none is lost', async () => {
    const { a, b, c, until } = openFleet()
    await until(Promise.all(['one', 'two', 'three'].map(tag => a.set(tag, tag, { tags: [tag] }))))
    await until(Promise.all([a.invalidateTags('one'), b.invalidateTags('two'), c.invalidateTags('three')]))
    expect(await until(Promise.all(['one', 'two', 'three'].map(key => a.get(key))))).toEqual(Array(3).fill(undefined))
  })
})

describe('async-cache-dedupe', () => {
  it('1: a load that is running does not overwrite a clear', async () => {
    const { a, b, clock, source, until } = openFleet()
    void a.getOrSet('k', source.takes(100))
    await clock.advance(50)
    await until(a.clear())
    await clock.advance(100)
    expect([await until(a.get('k')), await until(b.get('k'))]).toEqual([undefined, undefined])
  })

  it('4: a value and its tags are stored in one step', async () => {
    const { a, b, store, until } = openFleet()
    await until(a.set('k', 'v', { tags: ['red'] }))
    expect(store.calls.map(({ command }) => command)).toEqual(['stamp', 'put'])
    await until(b.invalidateTags('red'))
    expect(await until(a.get('k'))).toBeUndefined()
  })

  it('5: a tag is remembered for as long as the longest-lived entry', async () => {
    const { a, b, clock, until } = openFleet()
    await until(a.set('k', 'v', { ttl: '7d', tags: ['red'] }))
    await until(b.invalidateTags('red'))
    await clock.advance(6 * 86_400_000)
    for (let time = 0; time < 5; time++) await until(b.invalidateTags(`other-${time}`))
    expect(await until(a.get('k'))).toBeUndefined()
  })

  it('#89: any number of tags is invalidated in bounded steps', async () => {
    const { a, store, until } = openFleet()
    await until(a.invalidateTags(Array.from({ length: 20_000 }, (_, index) => `tag-${index}`)))
    expect(store.count('bump-tags')).toBe(40)
  })
})

describe('others', () => {
  it('layered-loader 3: stale data does not enter the new generation', async () => {
    const { a, b, clock, source, until } = openFleet()
    void a.getOrSet('k', source.takes(100))
    await clock.advance(50)
    await until(b.clear())
    await clock.advance(100)
    expect(await until(b.getOrSet('k', source.takes(1)))).toBe('load 2')
  })

  it('HybridCache: an entry is as old as its load, not as its storing', async () => {
    const { a, b, clock, source, until } = openFleet()
    void a.getOrSet('k', source.takes(100), { tags: ['red'] })
    await clock.advance(99)
    await until(b.invalidateTags('red'))
    await clock.advance(10)
    expect(await until(b.get('k'))).toBeUndefined()
  })

  it('dotnet/extensions #6897: tags may be found out by loading', async () => {
    const { a, b, until } = openFleet()
    await until(a.getOrSet('k', context => (context.tags.add('found'), 'v')))
    await until(b.invalidateTags('found'))
    expect(await until(b.get('k'))).toBeUndefined()
  })

  it('an evicted table of tags invalidates', async () => {
    const { a, b, store, until } = openFleet()
    await until(a.set('k', 'v', { tags: ['red'] }))
    await until(b.invalidateTags('blue'))
    store.script = ({ command }) => (command === 'newest-tag' ? answered(Infinity) : undefined)
    expect(await until(b.get('k'))).toBeUndefined()
  })
})
