import { describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/core/cache.ts'
import { answered, lostReply, lostRequest, refused, slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, track, watch, type Fleet } from './stage.ts'

const places: readonly [string, (fleet: Fleet) => Cache][] = [
  ['the same process', fleet => fleet.a],
  ['another process', fleet => fleet.b],
]

describe('invalidateTags', () => {
  it('makes everything with the tag absent, in every process, and nothing else', async () => {
    const { a, b, c, source, until } = openFleet()
    await until(a.getOrSet('one', source.takes(1), { tags: ['red'] }))
    await until(a.getOrSet('two', source.takes(1), { tags: ['blue', 'red'] }))
    await until(a.getOrSet('three', source.takes(1), { tags: ['blue'] }))
    await until(a.getOrSet('four', source.takes(1)))
    await until(a.set('five', 'set', { tags: ['red'] }))
    await until(b.invalidateTags('red'))
    const found = await until(Promise.all(['one', 'two', 'three', 'four', 'five'].map(key => c.get(key))))
    expect(found).toEqual([undefined, undefined, 'load 3', 'load 4', undefined])
    expect(await until(c.has('one'))).toBe(false)
    expect(await until(c.getEntry('two'))).toBeUndefined()
    expect(await until(c.getOrSet('one', source.takes(1), { tags: ['red'] }))).toBe('load 5')
    expect(await until(a.getOrSet('one', source.takes(1), { tags: ['red'] }))).toBe('load 5')
  })

  it('takes many at once, and no more than once each', async () => {
    const { a, b, store, until } = openFleet()
    const tags = Array.from({ length: 1200 }, (_, index) => `tag-${index}`)
    for (const index of [0, 700, 1199]) await until(a.set(`k${index}`, index, { tags: [`tag-${index}`] }))
    await until(a.set('k', 'kept', { tags: ['other'] }))
    await until(b.invalidateTags([...tags, ...tags]))
    expect(store.count('bump-tags')).toBe(3)
    expect(await until(Promise.all(['k0', 'k700', 'k1199', 'k'].map(key => a.get(key))))).toEqual([
      undefined,
      undefined,
      undefined,
      'kept',
    ])
    await until(a.invalidateTags([]))
    expect(store.count('bump-tags')).toBe(3)
  })

  it('costs a hit one look-up, in the same trip once it is to be expected', async () => {
    const { a, store, source, until } = openFleet()
    await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))
    store.script = ({ command }) => (command === 'read' || command === 'newest-tag' ? slow(5, 5) : undefined)
    const tookMs = async (): Promise<number> => {
      const records = watch(a, 'hit')
      await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))
      return records[0]?.durationMs ?? Number.NaN
    }
    expect(await tookMs()).toBe(10)
    expect(store.count('newest-tag')).toBe(0)
    await until(a.invalidateTags('blue'))
    expect([await tookMs(), await tookMs(), await tookMs()]).toEqual([20, 10, 10])
    expect(store.count('newest-tag')).toBe(3)
    await until(a.invalidateTags('red'))
    await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))
    await tookMs()
    await tookMs()
    expect(store.count('newest-tag')).toBe(5)
  })

  it('reports what it did', async () => {
    const { a, until } = openFleet()
    const records = watch(a, 'invalidate')
    await until(a.invalidateTags(['red', 'blue']))
    await until(a.clear())
    expect(records).toMatchObject([
      { operation: 'tags', tags: ['red', 'blue'], key: '' },
      { operation: 'clear', tags: [], key: '' },
    ])
  })

  it('is sent again when its reply is lost, and deferred when it cannot be told', async () => {
    const { a, b, store, until } = openFleet()
    await until(a.set('k', 'v', { tags: ['red'] }))
    let lost = 0
    store.script = ({ command }) => (command === 'bump-tags' && lost++ === 0 ? lostRequest() : undefined)
    await until(a.invalidateTags('red'))
    expect(await until(b.get('k'))).toBeUndefined()
    store.script = ({ command }) => (command === 'bump-tags' ? lostReply() : undefined)
    expect(await until(a.invalidateTags('red'))).toBe('deferred')
    store.script = () => refused()
    const records = watch(a, 'store-error')
    expect(await until(a.invalidateTags('red'))).toBe('deferred')
    expect(await until(a.clear())).toBe('deferred')
    expect(records.map(({ command }) => command)).toEqual(['bump-tags', 'clear'])
  })
})

describe('tags that the loader finds out', () => {
  it('count like those that the call names', async () => {
    const { a, b, c, source, until } = openFleet()
    const load = source.runs<string>(({ tags }) => tags.add('team:7', 'plan:free'))
    await until(a.getOrSet('k', load, { tags: ['users'] }))
    await until(b.invalidateTags('other'))
    expect(await until(c.getOrSet('k', load, { tags: ['users'] }))).toBe('load 1')
    for (const [nth, tag] of ['team:7', 'plan:free', 'users'].entries()) {
      await until(b.invalidateTags(tag))
      expect(await until(c.getOrSet('k', load, { tags: ['users'] }))).toBe(`load ${nth + 2}`)
    }
  })

  it('stay with a value that was not modified', async () => {
    const { a, b, clock, source, until } = openFleet({ ttl: 100, staleIfError: '1h' })
    await until(
      a.getOrSet(
        'k',
        source.runs<string>(({ tags }) => tags.add('red')),
      ),
    )
    await clock.advance(200)
    await until(a.getOrSet<string>('k', ({ notModified, tags }) => (tags.add('blue'), notModified())))
    expect(await until(b.get('k'))).toBe('load 1')
    await until(b.invalidateTags('red'))
    expect(await until(b.get('k'))).toBeUndefined()
  })

  it('stay with it in an outage: who calls after one was invalidated is not given what a load before that found not modified', async () => {
    const { a, clock, source, store, sleep, until } = openFleet({ ttl: 100, staleIfError: '1h', commandTimeout: 50 })
    await until(
      a.getOrSet(
        'k',
        source.runs<string>(({ tags }) => tags.add('red')),
      ),
    )
    await clock.advance(200)
    store.script = ({ command }) => (command === 'acquire' ? refused() : undefined)
    const before = track(
      clock,
      a.getOrSet<string>('k', async ({ notModified }) => (await sleep(50), notModified())),
    )
    await clock.advance(10)
    await until(a.invalidateTags('red'))
    const after = track(clock, a.getOrSet('k', source.takes(1)))
    await clock.advance(100)
    expect([before.value, after.value]).toEqual(['load 1', 'load 2'])
  })

  it('that can be no tags fail the load, and name the key', async () => {
    const { a, until } = openFleet()
    const adding = (...tags: readonly unknown[]): Promise<unknown> =>
      until(a.getOrSet('k', context => context.tags.add(...(tags as string[]))))
    for (const tag of ['', 5, undefined, 'x'.repeat(256), '\ud800']) {
      await expect(adding('fine', tag)).rejects.toMatchObject({ code: 'INVALID_TAG', key: 'k', option: 'tags' })
    }
    const many = Array.from({ length: 65 }, (_, index) => `tag-${index}`)
    await expect(adding(...many)).rejects.toMatchObject({ code: 'INVALID_TAG', key: 'k' })
    expect(await adding(...many.slice(1), ...many.slice(1))).toBeUndefined()
  })
})

describe('tags of the cache, of the call and of its reader', () => {
  it('add up', async () => {
    const { a, b, store, source, until } = openFleet({ tags: ['all'] })
    for (const tag of ['all', 'red']) {
      await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))
      await until(b.invalidateTags(tag))
      expect(await until(b.get('k'))).toBeUndefined()
    }
    expect(store.count('commit')).toBe(2)
  })

  it('are those of the entry, whatever its reader names', async () => {
    const { a, b, source, until } = openFleet()
    await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))
    await until(b.invalidateTags('red'))
    expect(await until(b.getOrSet('k', source.takes(1)))).toBe('load 2')
  })

  it('are those of its reader too: an entry from before the code named a tag goes with it', async () => {
    const { a, b, source, until } = openFleet()
    await until(a.getOrSet('k', source.takes(1)))
    await until(b.invalidateTags('red'))
    expect(await until(b.getOrSet('k', source.takes(1)))).toBe('load 1')
    expect(await until(b.getOrSet('k', source.takes(1), { tags: ['red'] }))).toBe('load 2')
  })
})

describe.each(places)('during a load, from %s,', (_place, pick) => {
  it.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['a tag', cache => cache.invalidateTags('red')],
    ['clear', cache => cache.clear()],
  ])('%s makes its value absent for all who come later, but not for those who came before', async (_name, invalidate) => {
    const fleet = openFleet()
    const { a, c, clock, source, until } = fleet
    const early = [track(clock, a.getOrSet('k', source.takes(100), { tags: ['red'] }))]
    await clock.advance(10)
    early.push(track(clock, a.getOrSet('k', source.takes(100), { tags: ['red'] })))
    await clock.advance(40)
    await until(invalidate(pick(fleet)))
    const late = [a, c].map(cache => track(clock, cache.getOrSet('k', source.takes(100), { tags: ['red'] })))
    await clock.advance(60)
    // The first began before the load. The second joined it before the invalidation: it may, but need not, take its value.
    expect(early[0]?.value).toBe('load 1')
    await clock.advance(500)
    expect(late.map(({ value }) => value)).toEqual(['load 2', 'load 2'])
    expect(await until(c.get('k'))).toBe('load 2')
    expect(source.loads).toBe(2)
  })

  it('a tag that the loader finds only afterwards does so as well', async () => {
    const fleet = openFleet()
    const { a, c, clock, source, sleep, until } = fleet
    const load = source.runs<string>(async ({ tags }) => {
      await sleep(100)
      tags.add('red')
    })
    const first = track(clock, a.getOrSet('k', load))
    await clock.advance(50)
    await until(pick(fleet).invalidateTags('red'))
    const joined = track(clock, a.getOrSet('k', load))
    await clock.advance(400)
    expect([first.value, joined.value]).toEqual(['load 1', 'load 2'])
    expect(await until(c.getOrSet('k', load))).toBe('load 2')
  })
})

describe('who joins a load of a tagged value after it began', () => {
  it('takes it when nothing was invalidated since, at the cost of one more command', async () => {
    const { a, clock, source, store } = openFleet()
    const first = track(clock, a.getOrSet('k', source.takes(100), { tags: ['red'] }))
    await clock.advance(50)
    const joined = track(clock, a.getOrSet('k', source.takes(100), { tags: ['red'] }))
    const stamps = store.count('stamp')
    await clock.advance(100)
    expect([first.value, joined.value, source.loads]).toEqual(['load 1', 'load 1', 1])
    expect(store.count('stamp')).toBe(stamps + 1)
  })

  it('takes it when another tag was', async () => {
    const { a, b, clock, source, until } = openFleet()
    void a.getOrSet('k', source.takes(100), { tags: ['red'] })
    await clock.advance(50)
    await until(b.invalidateTags('blue'))
    const joined = track(clock, a.getOrSet('k', source.takes(100), { tags: ['red'] }))
    await clock.advance(100)
    expect([joined.value, source.loads]).toEqual(['load 1', 1])
  })

  it('does not when the store cannot say', async () => {
    const { a, clock, source, store } = openFleet()
    void a.getOrSet('k', source.takes(100), { tags: ['red'] })
    await clock.advance(50)
    const joined = track(clock, a.getOrSet('k', source.takes(100), { tags: ['red'] }))
    let failed = false
    store.script = ({ command }) => {
      if (command !== 'stamp' || failed) return undefined
      failed = true
      return refused()
    }
    await clock.advance(300)
    expect([joined.value, failed]).toEqual(['load 1', true])
  })

  it.each<[string, (fleet: Fleet) => Promise<unknown>]>([
    ['a tag', ({ b }) => b.invalidateTags('red')],
    ['clear', ({ b }) => b.clear()],
  ])('is not answered with nothing that was found before %s', async (_name, invalidate) => {
    const fleet = openFleet()
    const { a, clock, source, until } = fleet
    const first = track(clock, a.getOrSet('k', source.returns<string | undefined>(100, undefined), { tags: ['red'] }))
    await clock.advance(50)
    await until(invalidate(fleet))
    const joined = track(
      clock,
      a.getOrSet<string | undefined>('k', () => 'now there', { tags: ['red'] }),
    )
    await clock.advance(200)
    expect([first.value, joined.value]).toEqual([undefined, 'now there'])
  })
})

describe('a value that a tag has invalidated', () => {
  it('is absent for every stale rule', async () => {
    const { a, b, clock, source, until } = openFleet({ ttl: 100, staleWhileRevalidate: '1h', staleIfError: '1h' })
    await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))
    await clock.advance(200)
    await until(b.invalidateTags('red'))
    await expect(until(a.getOrSet('k', source.fails(1), { tags: ['red'] }))).rejects.toThrow('the source is down')
    const seen: unknown[] = []
    const load = source.runs<string>(({ stale }) => void seen.push(stale))
    expect(await until(a.getOrSet('k', load))).toBe('load 3')
    expect(seen).toEqual([undefined])
  })

  it('may stand in for whoever had read it before', async () => {
    const { a, b, clock, source, until } = openFleet({ ttl: 100, staleIfError: '1h' })
    await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))
    await clock.advance(200)
    const call = track(clock, a.getOrSet('k', source.fails(100), { tags: ['red'] }))
    await clock.advance(50)
    await until(b.invalidateTags('red'))
    await clock.advance(100)
    expect(call.value).toBe('load 1')
  })

  it('is not loaded twice though an acquire offers it', async () => {
    const { a, b, c, source, store, until } = openFleet()
    await until(a.getOrSet('k', source.takes(50), { tags: ['red'] }))
    await until(b.invalidateTags('red'))
    const calls = [a, b, c].map(cache => cache.getOrSet('k', source.takes(50), { tags: ['red'] }))
    expect(await until(Promise.all(calls))).toEqual(['load 2', 'load 2', 'load 2'])
    expect([source.loads, source.mostAtOnce]).toEqual([2, 1])
    expect(store.count('commit')).toBe(2)
  })
})

describe('when the store has lost what it knew', () => {
  it('of tags, everything with tags from before the next invalidation is absent', async () => {
    const { a, b, source, store, until } = openFleet()
    await until(a.getOrSet('tagged', source.takes(1), { tags: ['red'] }))
    await until(a.getOrSet('plain', source.takes(1)))
    await until(b.invalidateTags('blue'))
    store.script = ({ command }) => (command === 'newest-tag' ? answered(Infinity) : undefined)
    expect(await until(b.get('tagged'))).toBeUndefined()
    expect(await until(b.get('plain'))).toBe('load 2')
    expect(await until(b.getOrSet('tagged', source.takes(1), { tags: ['red'] }))).toBe('load 3')
    // No tag has been invalidated since it was loaded: there is nothing to look up.
    expect(await until(b.get('tagged'))).toBe('load 3')
  })

  it('or cannot be asked for tags, the call loads as it does without the store', async () => {
    const { a, b, source, store, until } = openFleet()
    await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))
    await until(b.invalidateTags('blue'))
    store.script = ({ command }) => (command === 'newest-tag' ? refused() : undefined)
    const records = watch(b, 'store-error', 'miss')
    expect(await until(b.getOrSet('k', source.takes(1), { tags: ['red'] }))).toBe('load 2')
    expect(records).toMatchObject([
      { event: 'store-error', command: 'newest-tag' },
      { event: 'miss', outcome: 'unleased' },
    ])
    expect(await until(b.get('k'))).toBeUndefined()
    store.script = () => undefined
    expect(await until(b.get('k'))).toBe('load 1')
  })
})

describe('the stamp', () => {
  it('is there before the loader runs, and belongs to the same try as the lease', async () => {
    const { a, clock, source, store } = openFleet()
    store.script = ({ command }) => (command === 'stamp' ? slow(30, 30) : undefined)
    const call = track(clock, a.getOrSet('k', source.takes(10), { tags: ['red'] }))
    await clock.advance(59)
    expect(source.loads).toBe(0)
    await clock.advance(20)
    expect(call.value).toBe('load 1')
  })

  it('that does not come costs the lease, which nobody is left to wait for', async () => {
    const { a, b, clock, source, store } = openFleet({ commandTimeout: 50, storeBudget: 150 })
    store.script = ({ command, client }) => (command === 'stamp' && client === 0 ? lostReply() : undefined)
    const first = track(clock, a.getOrSet('k', source.takes(500)))
    await clock.advance(300)
    expect(source.loads).toBe(1)
    const second = track(clock, b.getOrSet('k', source.takes(10)))
    await clock.advance(100)
    expect(second.value).toBe('load 2')
    await clock.advance(1000)
    expect(first.value).toBe('load 1')
    expect(await b.get('k')).toBe('load 2')
  })

  it('of a set is read when it is called, so that an earlier invalidation does not reach its value', async () => {
    const { a, b, c, until } = openFleet()
    await until(a.set('k', 'old', { tags: ['red'] }))
    await until(a.get('k'))
    await until(b.invalidateTags('red'))
    await until(a.set('k', 'new', { tags: ['red'] }))
    await until(b.clear())
    await until(a.set('other', 'newer'))
    expect(await until(c.get('k'))).toBeUndefined()
    expect(await until(c.get('other'))).toBe('newer')
  })

  it('of a set that does not come has the old value removed, as a put without a reply has', async () => {
    const { a, b, store, until } = openFleet()
    await until(a.set('k', 'old'))
    store.script = ({ command }) => (command === 'stamp' ? lostReply() : undefined)
    const records = watch(a, 'set')
    await until(a.set('k', 'new'))
    expect(records).toMatchObject([{ outcome: 'unknown' }])
    expect(await until(b.get('k'))).toBeUndefined()
  })

  it('does not keep a set from storing the value as it was when it was given', async () => {
    const { a, b, store, until } = openFleet()
    store.script = ({ command }) => (command === 'stamp' ? slow(10, 10) : undefined)
    const value = { count: 1 }
    const set = a.set('k', value)
    value.count = 2
    await until(set)
    expect(await until(b.get('k'))).toEqual({ count: 1 })
  })
})

describe('in an outage', () => {
  it('joiners share a load that began after the last invalidation of its tags by their process, and no other', async () => {
    const { a, clock, source, store } = openFleet({ outageTtl: 0 })
    store.script = ({ command }) => (['bump-tags', 'clear'].includes(command) ? undefined : refused())
    const joined = async (act: () => Promise<unknown>): Promise<unknown> => {
      const first = track(clock, a.getOrSet('k', source.takes(100), { tags: ['red'] }))
      await clock.advance(50)
      await act()
      const second = track(clock, a.getOrSet('k', source.takes(100), { tags: ['red'] }))
      await clock.advance(300)
      return first.value === second.value
    }
    expect(await joined(async () => {})).toBe(true)
    expect(await joined(() => a.invalidateTags('blue'))).toBe(true)
    expect(await joined(() => a.invalidateTags('red'))).toBe(false)
    expect(await joined(() => a.clear())).toBe(false)
    expect(await joined(async () => {})).toBe(true)
  })
})

describe('what was loaded in an outage', () => {
  it.each<[string, (cache: Cache) => Promise<unknown>]>([
    ['invalidateTags', cache => cache.invalidateTags('red')],
    ['clear', cache => cache.clear()],
  ])('is answered no more after %s of its process', async (_name, invalidate) => {
    const { a, source, store, until } = openFleet()
    store.script = ({ command }) => (['bump-tags', 'clear'].includes(command) ? undefined : refused())
    expect(await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))).toBe('load 1')
    expect(await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))).toBe('load 1')
    await until(invalidate(a))
    expect(await until(a.getOrSet('k', source.takes(1), { tags: ['red'] }))).toBe('load 2')
  })
})

describe('clear', () => {
  it('empties the namespace for every process, whatever tags there are', async () => {
    const { a, b, c, source, until } = openFleet()
    await until(Promise.all(['one', 'two'].map(key => a.getOrSet(key, source.takes(1)))))
    await until(a.set('three', 'set', { tags: ['red'] }))
    await until(b.clear())
    for (const cache of [a, b, c]) {
      expect(await until(Promise.all(['one', 'two', 'three'].map(key => cache.get(key))))).toEqual(Array(3).fill(undefined))
    }
    expect(await until(c.getOrSet('one', source.takes(1)))).toBe('load 3')
    expect(await until(a.getOrSet('one', source.takes(1)))).toBe('load 3')
  })

  it('takes one command, however much there is, and deletes nothing', async () => {
    const { a, store, until } = openFleet()
    for (let index = 0; index < 100; index++) await until(a.set(`k${index}`, index))
    const before = store.calls.length
    await until(a.clear())
    expect(store.calls.slice(before).map(({ command }) => command)).toEqual(['clear'])
  })
})

describe('bad tags', () => {
  it.each([[''], [5], [null], [['fine', '']], [[{}]], ['x'.repeat(256)], ['é'.repeat(128)], ['\udc00']])(
    'are typed errors of invalidateTags: %j',
    async tags => {
      const { a, store } = openFleet()
      await expect(a.invalidateTags(tags as string)).rejects.toMatchObject({ code: 'INVALID_TAG', option: 'tags' })
      expect(store.calls).toEqual([])
    },
  )

  it.each([
    ['red'],
    [['']],
    [[5]],
    [null],
    [{}],
    [['x'.repeat(256)]],
    [Array.from({ length: 65 }, (_, index) => `tag-${index}`)],
  ])('are typed errors of the option: %j', async tags => {
    const { a, store } = openFleet()
    const options = { tags: tags as string[] }
    await expect(a.getOrSet('k', () => 1, options)).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'tags' })
    await expect(a.set('k', 1, options)).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'tags' })
    expect(store.calls).toEqual([])
  })

  it('are none at the very limits', async () => {
    const { a, b, until } = openFleet()
    const tags = Array.from({ length: 64 }, (_, index) => `${index}`.padStart(255, 'x'))
    await until(a.set('k', 'v', { tags }))
    expect(await until(b.get('k'))).toBe('v')
    await until(b.invalidateTags(tags[63] ?? ''))
    expect(await until(b.get('k'))).toBeUndefined()
  })
})
