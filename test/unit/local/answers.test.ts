import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Cache } from '../../../src/core/cache.ts'
import type { CacheOptions } from '../../../src/core/options/options.ts'
import type { Resource } from '../../../src/core/resources/resource.ts'
import { StoreError } from '../../../src/core/errors.ts'
import { chaosStore, refused, slow } from '../../../src/testing/chaos-store.ts'
import { openFleet, watch, type Fleet } from '../engine/stage.ts'
import { memoryStoreWith, type Bus } from './bus.ts'

interface Trusting extends Fleet {
  /** Of `a`, with the key `thing:id=1` and the tag `things`. */
  readonly things: Resource<string, unknown>
  readonly bus: Bus
  /** How often `a` has asked the store for an entry. */
  reads(): number
}

const key = 'thing:id=1'
const unwanted = (): never => {
  throw new Error('nothing is to be loaded')
}

async function openTrusting(options: Partial<CacheOptions> = {}): Promise<Trusting> {
  const bus: Bus = { silent: false }
  const store = chaosStore(memoryStoreWith(bus))
  const fleet = { ...openFleet({ local: { mode: 'trust' }, store, ...options }), store, bus }
  await fleet.clock.settle()
  const things = fleet.a.define('thing', { key: (id: string) => ({ id }), load: unwanted, tags: ['things'] })
  return { ...fleet, things, reads: () => fleet.store.count('read', 0) }
}

type Ask = (fleet: Pick<Trusting, 'a' | 'things'>) => Promise<unknown>

/** Every way to ask for the one value that is stored under {@link key}. */
const fillingWays: readonly [string, Ask][] = [
  ['getOrSet', ({ a }) => a.getOrSet(key, unwanted)],
  ['get', ({ a }) => a.get(key)],
  ['getEntry', async ({ a }) => (await a.getEntry(key))?.value],
  ['getMany', async ({ a }) => (await a.getMany([key]))[0]],
  ['getOrSetMany', async ({ a }) => (await a.getOrSetMany([key], unwanted))[0]],
  ["a resource's get", ({ things }) => things.get('1')],
  ["a resource's getMany", async ({ things }) => (await things.getMany(['1']))[0]],
]
const ways: readonly [string, Ask][] = [...fillingWays, ['has', async ({ a }) => ((await a.has(key)) ? 'set' : undefined)]]

describe.each(ways)('%s', (_, ask) => {
  it('is answered by a copy, without asking the store', async () => {
    const fleet = await openTrusting()
    await fleet.until(fleet.b.set(key, 'set', { tags: ['things'] }))
    await fleet.until(fleet.things.get('1'))
    const before = fleet.reads()
    expect(await fleet.until(ask(fleet))).toBe('set')
    expect(fleet.reads()).toBe(before)
  })

  it('asks the store once the copy has been changed elsewhere', async () => {
    const fleet = await openTrusting()
    await fleet.until(fleet.b.set(key, 'old', { tags: ['things'] }))
    await fleet.until(fleet.things.get('1'))
    await fleet.until(fleet.b.set(key, 'set', { tags: ['things'] }))
    await fleet.clock.settle()
    const before = fleet.reads()
    expect(await fleet.until(ask(fleet))).toBe('set')
    expect(fleet.reads()).toBe(before + 1)
  })

  it('asks the store when the bus has fallen silent', async () => {
    const fleet = await openTrusting()
    await fleet.until(fleet.b.set(key, 'set', { tags: ['things'] }))
    await fleet.until(fleet.things.get('1'))
    fleet.bus.silent = true
    await fleet.clock.advance(3_001)
    const before = fleet.reads()
    expect(await fleet.until(ask(fleet))).toBe('set')
    expect(fleet.reads()).toBe(before + 1)
  })
})

describe.each(fillingWays)('%s', (_, ask) => {
  it('leaves a copy of what the store answered', async () => {
    const fleet = await openTrusting()
    await fleet.until(fleet.b.set(key, 'set', { tags: ['things'] }))
    expect(await fleet.until(ask(fleet))).toBe('set')
    const before = fleet.reads()
    expect(fleet.a.peek(key)).toBe('set')
    expect(await fleet.until(ask(fleet))).toBe('set')
    expect(fleet.reads()).toBe(before)
  })

  it.each(['delete', 'invalidateTags', 'clear'] as const)('leaves no copy when %s is heard while it reads', async how => {
    const fleet = await openTrusting()
    await fleet.until(fleet.b.set(key, 'set', { tags: ['things'] }))
    fleet.store.script = ({ command }) => (command === 'read' ? slow(0, 50) : undefined)
    const asked = ask(fleet)
    await fleet.clock.advance(10)
    if (how === 'delete') await fleet.until(fleet.b.delete(key))
    if (how === 'invalidateTags') await fleet.until(fleet.b.invalidateTags('things'))
    if (how === 'clear') await fleet.until(fleet.b.clear())
    await fleet.until(asked.catch(() => undefined))
    expect(fleet.a.peek(key)).toBeUndefined()
    expect(fleet.things.peek('1')).toBeUndefined()
  })
})

describe('a call that wants more than a copy', () => {
  const loaded = (): string => 'loaded'
  const asking: readonly [string, (cache: Cache) => Promise<unknown>][] = [
    ['getOrSet', cache => cache.getOrSet(key, loaded, { forceFresh: true })],
    ['getOrSetMany', async cache => (await cache.getOrSetMany([key], () => ['loaded'], { forceFresh: true }))[0]],
    ["a resource's get", cache => define(cache).get('1', { forceFresh: true })],
    ["a resource's getMany", async cache => (await define(cache).getMany(['1'], { forceFresh: true }))[0]],
    ["a resource's refresh", cache => define(cache).refresh('1')],
  ]
  const define = (cache: Cache): Resource<string, string> =>
    cache.define('thing', { key: (id: string) => ({ id }), load: loaded })

  it.each(asking)('%s with forceFresh loads', async (_, ask) => {
    const { b, until, clock } = openFleet({ local: { mode: 'trust' } })
    await clock.settle()
    await until(b.set(key, 'set'))
    await until(b.get(key))
    expect(b.peek(key)).toBe('set')
    expect(await until(ask(b))).toBe('loaded')
    expect(b.peek(key)).toBeUndefined()
  })

  it('rejects when its signal has aborted, and takes a copy when it has not', async () => {
    const { a, things, until, reads } = await openTrusting()
    await until(a.set(key, 'set', { tags: ['things'] }))
    await until(things.get('1'))
    const before = reads()
    const { signal } = new AbortController()
    expect(await until(things.get('1', { signal }))).toBe('set')
    expect(await until(a.getOrSet(key, unwanted, { signal }))).toBe('set')
    const aborted = AbortSignal.abort(new Error('gone'))
    await expect(until(a.getOrSet(key, unwanted, { signal: aborted }))).rejects.toThrow('gone')
    await expect(until(things.get('1', { signal: aborted }))).rejects.toThrow('gone')
    await expect(until(a.getOrSetMany([key], unwanted, { signal: aborted }))).rejects.toThrow('gone')
    expect(reads()).toBe(before)
  })

  it('is told of a wrong option by a resource as ever', async () => {
    const { a, things, until } = await openTrusting()
    await until(a.set(key, 'set', { tags: ['things'] }))
    await until(things.get('1'))
    await expect(things.get('1', { version: 0 } as object)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' })
    await expect(things.get('1', { tags: [''] })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('versions', () => {
  it('have copies of their own', async () => {
    const { a, b, until, reads } = await openTrusting()
    await until(b.set('k', 'v0'))
    await until(b.set('k', 'v2', { version: 2 }))
    await until(b.set('2\0k', 'neither'))
    for (const version of [0, 2]) await until(a.get('k', { version }))
    const before = reads()
    expect(await until(a.get('k'))).toBe('v0')
    expect(await until(a.get('k', { version: 2 }))).toBe('v2')
    expect(await until(a.getOrSet('k', unwanted, { version: 2 }))).toBe('v2')
    expect(a.peek('k', { version: 2 })).toBe('v2')
    expect(a.peek('k', { version: 3 })).toBeUndefined()
    expect(reads()).toBe(before)
    expect(await until(a.get('2\0k'))).toBe('neither')
    expect(await until(a.get('k', { version: 2 }))).toBe('v2')
  })

  const changes: readonly [string, (cache: Cache) => Promise<unknown>][] = [
    ['set', cache => cache.set('k', 'v2', { version: 2 })],
    ['delete', cache => cache.delete('k', { version: 2 })],
    ['expire', cache => cache.expire('k', { version: 2 })],
  ]
  it.each(changes)('beside one that is changed by %s lose their copies too, in the same process at once', async (_, change) => {
    const { a, b, bus, until } = await openTrusting()
    await until(b.set('k', 'v1', { version: 1 }))
    await until(a.get('k', { version: 1 }))
    bus.silent = true
    await until(change(a))
    expect(await until(a.get('k', { version: 1 }))).toBeUndefined()
  })

  it('of a resource are told of as its own', async () => {
    const { a, b, until, clock } = await openTrusting()
    const rows = a.define('row', { key: (id: string) => ({ id }), load: () => 'loaded', version: 7 })
    await until(rows.get('1'))
    await until(rows.get('1'))
    expect(rows.peek('1')).toBe('loaded')
    await until(b.set('row:id=1', 'set', { version: 7 }))
    await clock.settle()
    expect(rows.peek('1')).toBeUndefined()
    expect(await until(rows.get('1'))).toBe('set')
    await until(b.delete('row:id=1', { version: 6 }))
    await clock.settle()
    expect(rows.peek('1')).toBeUndefined()
  })
})

describe('tags', () => {
  it('that a reader names are looked up before he is given a copy of an entry without them', async () => {
    const { a, b, things, until, source } = await openTrusting()
    await until(b.set(key, 'set'))
    await until(b.invalidateTags('things'))
    expect(await until(a.get(key))).toBe('set')
    expect(a.peek(key)).toBe('set')
    expect(things.peek('1')).toBeUndefined()
    await expect(until(things.get('1'))).rejects.toThrow('nothing is to be loaded')
    expect(await until(a.getOrSet(key, source.takes(1), { tags: ['things'] }))).toBe('load 1')
  })

  it('that a reader names go with his copy, for all readers', async () => {
    const { a, b, things, until, clock, reads } = await openTrusting()
    await until(b.set(key, 'set'))
    await until(things.get('1'))
    const before = reads()
    expect(await until(a.getOrSet(key, unwanted, { tags: ['things'] }))).toBe('set')
    expect(await until(things.getMany(['1']))).toEqual(['set'])
    expect(reads()).toBe(before)
    await until(b.invalidateTags('things'))
    await clock.settle()
    expect(things.peek('1')).toBeUndefined()
  })

  it('that this process has invalidated end suspect copies for those who name them', async () => {
    const { a, b, until, store, source } = await openTrusting()
    await until(b.set(key, 'set'))
    await until(a.get(key))
    await until(a.invalidateTags('things'))
    store.script = () => refused(new StoreError('STORE_UNAVAILABLE', 'not-executed', 'away'))
    expect(await until(a.getOrSet(key, source.takes(1), { tags: ['things'] }))).toBe('load 1')
  })
})

describe('what a copy knows', () => {
  it('of its age and lifetime is what the store would say', async () => {
    const { a, b, until, clock, reads, source } = await openTrusting({ ttl: '1m', staleIfError: '1h' })
    await until(b.getOrSet('k', source.takes(20)))
    await clock.advance(1_000)
    const asked = await until(a.getEntry('k'))
    expect(asked).toMatchObject({ value: 'load 1', ageMs: 1_000, loadMs: 20 })
    expect(await until(a.getEntry('k'))).toEqual(asked)
    expect(reads()).toBe(1)
    await clock.advance(500)
    expect(await until(a.getEntry('k'))).toEqual({
      ...asked,
      ageMs: 1_500,
      freshForMs: 58_500,
      remainingMs: 3_658_500,
    })
  })

  it('is told apart from what the store answered', async () => {
    const { a, b, things, until } = await openTrusting()
    await until(b.set(key, 'set', { tags: ['things'] }))
    const records = watch(a, 'lookup', 'hit')
    const counts = a.countHits()
    await until(a.get(key))
    await until(a.get(key))
    await until(a.has(key))
    await until(a.getMany([key, 'none']))
    await until(things.get('1'))
    await until(things.getMany(['1', '1']))
    expect(records.map(({ from }) => from)).toEqual(['store', 'local', 'local', 'local', 'store', 'local', 'local', 'local'])
    expect(counts).toMatchObject({ hits: 3, local: 3 })
    expect([...counts.byResource]).toEqual([['thing', 3]])
  })
})

describe('a schema', () => {
  it('makes of a copy what it makes of a stored value, and a copy that does not fit is none', async () => {
    const { a, b, until, clock } = await openTrusting()
    const schema = z.object({ name: z.string(), plan: z.string().default('free') })
    const users = a.define('user', { key: (id: string) => ({ id }), load: () => ({ name: 'loaded' }), schema })
    await until(b.set('user:id=1', { name: 'Ada' }))
    await until(users.get('1'))
    expect(users.peek('1')).toEqual({ name: 'Ada', plan: 'free' })
    expect(await until(users.get('1'))).toEqual({ name: 'Ada', plan: 'free' })
    await until(b.set('user:id=1', 'no user'))
    await clock.settle()
    expect(await until(a.get('user:id=1'))).toBe('no user')
    expect(users.peek('1')).toBeUndefined()
    expect(await until(users.get('1'))).toEqual({ name: 'loaded', plan: 'free' })
  })
})

describe('a batch', () => {
  it('reads and loads only what no copy answers, each value in its place', async () => {
    const { a, b, until, store } = await openTrusting()
    for (const name of ['k0', 'k1', 'k2', 'k3']) await until(b.set(name, name))
    await until(a.getMany(['k1', 'k3']))
    const before = store.count('read', 0)
    expect(await until(a.getMany(['k0', 'k1', 'none', 'k3', 'k0']))).toEqual(['k0', 'k1', undefined, 'k3', 'k0'])
    expect(store.count('read', 0) - before).toBe(3)
    const loading = (keys: readonly string[]): string[] => keys.map(name => `loaded ${name}`)
    expect(await until(a.getOrSetMany(['k2', 'k1', 'none', 'k3', 'none'], loading))).toEqual([
      'k2',
      'k1',
      'loaded none',
      'k3',
      'loaded none',
    ])
  })

  it('whose keys do not go through the cache takes no copies', async () => {
    let enabled = true
    const { a, until } = await openTrusting({ enabled: () => enabled })
    await until(a.set('k', 'set'))
    await until(a.get('k'))
    enabled = false
    expect(await until(a.get('k'))).toBeUndefined()
    expect(await until(a.has('k'))).toBe(false)
    expect(await until(a.getMany(['k']))).toEqual([undefined])
    expect(await until(a.getOrSetMany(['k'], () => ['bypassed']))).toEqual(['bypassed'])
    expect(a.peek('k')).toBeUndefined()
  })
})
