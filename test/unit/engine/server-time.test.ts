import { describe, expect, it } from 'vitest'
import type { Cache } from '../../../src/core/cache.ts'
import type { Clock, StoreProvider } from '../../../src/core/ports.ts'
import { createCache } from '../../../src/create-cache.ts'
import { memoryStore } from '../../../src/memory/memory-store.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { virtualClock, type VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { Source } from './stage.ts'

const hourMs = 3_600_000

/** A store that goes by a clock of its own, as a server does. */
function serverWith(clock: Clock): StoreProvider {
  const store = memoryStore()
  return { kind: store.kind, open: context => store.open({ ...context, clock }) }
}

/** Processes whose wall clocks are an hour behind, right, and an hour ahead. Monotonic time passes alike for all. */
function openSkewed(): { clock: VirtualClock; source: Source; behind: Cache; right: Cache; ahead: Cache } {
  const clock = virtualClock()
  const store = serverWith(clock)
  const [behind, right, ahead] = [-hourMs, 0, hourMs].map((offMs, seed) =>
    createCache({
      namespace: 'test',
      store,
      clock: { ...clock, wallNow: () => clock.wallNow() + offMs },
      random: seededRandom(seed),
      ttl: '1m',
      jitter: 0,
      refresh: false,
    }),
  ) as [Cache, Cache, Cache]
  return { clock, source: new Source(clock), behind, right, ahead }
}

type Skewed = 'behind' | 'right' | 'ahead'
const places: readonly Skewed[] = ['behind', 'right', 'ahead']
const pairs = places.flatMap(writer => places.map(reader => [writer, reader] as const))

describe('wall clocks of processes decide nothing', () => {
  it.each(pairs)(
    'how long a value is fresh that is loaded where the clock is %s and read where it is %s',
    async (writer, reader) => {
      const fleet = openSkewed()
      const { clock, source } = fleet
      await clock.runUntilSettled(fleet[writer].getOrSet('k', source.takes(100)))
      await clock.advance(59_999)
      expect(await clock.runUntilSettled(fleet[reader].getOrSet('k', source.takes(100)))).toBe('load 1')
      await clock.advance(1)
      expect(await clock.runUntilSettled(fleet[reader].getOrSet('k', source.takes(100)))).toBe('load 2')
    },
  )

  it.each(pairs)(
    'what get, getEntry and has say of a value that is set where the clock is %s and read where it is %s',
    async (writer, reader) => {
      const fleet = openSkewed()
      const { clock } = fleet
      const { [reader]: cache } = fleet
      await clock.runUntilSettled(fleet[writer].set('k', 'v', { staleIfError: '1m' }))
      await clock.advance(59_999)
      expect(await cache.getEntry('k')).toMatchObject({ fresh: true, ageMs: 59_999, freshForMs: 1, remainingMs: 60_001 })
      expect([await cache.get('k'), await cache.has('k')]).toEqual(['v', true])
      await clock.advance(1)
      expect(await cache.getEntry('k')).toMatchObject({ fresh: false, ageMs: 60_000, freshForMs: 0, remainingMs: 60_000 })
      expect([await cache.get('k'), await cache.has('k')]).toEqual([undefined, false])
    },
  )

  it.each(places)('how long a stale value stands in for a failed load where the clock is %s', async reader => {
    const fleet = openSkewed()
    const { clock, source } = fleet
    await clock.runUntilSettled(fleet.right.set('k', 'old', { staleIfError: '2m' }))
    const call = (): Promise<unknown> => fleet[reader].getOrSet('k', source.fails(1), { staleIfError: '1m' })
    await clock.advance(60_000)
    expect(await clock.runUntilSettled(call())).toBe('old')
    await clock.advance(59_997)
    expect(await clock.runUntilSettled(call())).toBe('old')
    await expect(clock.runUntilSettled(call())).rejects.toThrow('the source is down')
  })

  it.each(places)('when a call that joined a load may have a stale value instead where the clock is %s', async reader => {
    const fleet = openSkewed()
    const { clock, source } = fleet
    await clock.runUntilSettled(fleet.right.set('k', 'old', { ttl: '1s', staleIfError: '1m' }))
    await clock.advance(2_000)
    const policy = { staleIfError: '1m' } as const
    const calls = [1, 2].map(() => fleet[reader].getOrSet('k', source.fails(10), policy))
    expect(await clock.runUntilSettled(Promise.all(calls))).toEqual(['old', 'old'])
  })

  it.each(places)('how long leases and cooldowns last where the clock is %s', async reader => {
    const fleet = openSkewed()
    const { clock, source } = fleet
    const policy = { errorCooldown: '5s' } as const
    await expect(clock.runUntilSettled(fleet.right.getOrSet('k', source.fails(1), policy))).rejects.toThrow('the source is down')
    await clock.advance(4_999)
    await expect(clock.runUntilSettled(fleet[reader].getOrSet('k', source.takes(1), policy))).rejects.toMatchObject({
      code: 'LOAD_COOLING',
    })
    await clock.advance(1)
    expect(await clock.runUntilSettled(fleet[reader].getOrSet('k', source.takes(1), policy))).toBe('load 2')
  })
})

describe('while the time of the server is not known', () => {
  /** As it is for a moment when a connection is lost just as it has answered. */
  function withoutTime(clock: Clock, lost: () => boolean): StoreProvider {
    const provider = serverWith(clock)
    return {
      kind: provider.kind,
      open(context) {
        const store = provider.open(context)
        return new Proxy(store, {
          get(target, name) {
            if (name === 'now' && lost()) return () => NaN
            const value: unknown = Reflect.get(target, name, target)
            return typeof value === 'function' ? (value.bind(target) as unknown) : value
          },
        })
      },
    }
  }

  it.each<readonly [string, (cache: Cache) => Promise<unknown>, unknown]>([
    ['getOrSet', cache => cache.getOrSet('k', () => 'new'), 'new'],
    ['getOrSetMany', cache => cache.getOrSetMany(['k'], () => ['new']), ['new']],
    ['get', cache => cache.get('k'), undefined],
    ['getMany', cache => cache.getMany(['k']), [undefined]],
    ['has', cache => cache.has('k'), false],
  ])('%s takes nothing for fresh', async (_name, ask, expected) => {
    const clock = virtualClock()
    let lost = false
    const store = withoutTime(clock, () => lost)
    const cache = createCache({ namespace: 'test', store, clock, ttl: 100, jitter: 0, refresh: false })
    await clock.runUntilSettled(cache.set('k', 'old', { staleIfError: '1m' }))
    await clock.advance(200)
    lost = true
    expect(await clock.runUntilSettled(ask(cache))).toEqual(expected)
  })

  it('warming loads what it cannot judge', async () => {
    const clock = virtualClock()
    let lost = false
    const store = withoutTime(clock, () => lost)
    const cache = createCache({ namespace: 'test', store, clock, ttl: 100, jitter: 0, refresh: false, staleIfError: '1m' })
    let loads = 0
    const things = cache.define('thing', { key: (id: string) => ({ id }), load: () => ++loads })
    await clock.runUntilSettled(things.get('a'))
    await clock.advance(200)
    lost = true
    await clock.runUntilSettled(things.warm(['a']))
    expect(loads).toBe(2)
  })
})
