import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createCache, type Cache, type CacheOptions } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'
import { until } from './fixture.ts'

let namespace: string
let caches: Cache[]
let raw: Redis

beforeAll(() => {
  raw = new Redis(sharedRedisUrl())
})
afterAll(() => raw.disconnect())
beforeEach(() => {
  namespace = ownNamespace()
  caches = []
})
afterEach(async () => {
  await Promise.all(caches.map(cache => cache.close()))
})

function open(options: Partial<CacheOptions> = {}): Cache {
  const cache = createCache({
    namespace,
    store: redisStore(sharedRedisUrl()),
    local: { mode: 'trust' },
    commandTimeout: '2s',
    storeBudget: '5s',
    ...options,
  })
  caches.push(cache)
  return cache
}

/** Reads until the copy in memory answers. */
async function remembered(cache: Cache, key: string, load: () => unknown = () => 'loaded'): Promise<unknown> {
  await until(async () => {
    await cache.getOrSet(key, load)
    return cache.peek(key) !== undefined
  })
  return cache.peek(key)
}

describe('a trusted local tier', () => {
  it('answers without asking Redis', async () => {
    const cache = open()
    const froms: string[] = []
    cache.on('hit', ({ from }) => froms.push(from))
    expect(await remembered(cache, 'k')).toBe('loaded')
    froms.length = 0
    expect(await cache.getOrSet('k', () => expect.unreachable())).toBe('loaded')
    expect(froms).toEqual(['local'])
  })

  it.each(['delete', 'set', 'expire', 'load'] as const)(
    'drops its copy when another process changes the key by %s',
    async how => {
      const cache = open()
      const other = open({ local: { mode: 'off' } })
      expect(await remembered(cache, 'k')).toBe('loaded')
      if (how === 'delete') await other.delete('k')
      if (how === 'set') await other.set('k', 'set')
      if (how === 'expire') await other.expire('k')
      if (how === 'load') await other.getOrSet('k', () => 'loaded anew', { forceFresh: true })
      await until(() => cache.peek('k') === undefined)
      const expected = { delete: 'own', set: 'set', expire: 'own', load: 'loaded anew' }[how]
      expect(await cache.getOrSet('k', () => 'own')).toBe(expected)
    },
  )

  it.each(['delete', 'set', 'expire', 'load'] as const)('applies its own %s at once', async how => {
    const cache = open()
    for (let round = 0; round < 50; round++) {
      await remembered(cache, 'k', () => 'old')
      const reading = cache.get('k')
      if (how === 'delete') await cache.delete('k')
      if (how === 'set') await cache.set('k', 'new')
      if (how === 'expire') await cache.expire('k')
      if (how === 'load') await cache.getOrSet('k', () => 'new', { forceFresh: true })
      expect(await cache.getOrSet('k', () => 'new')).toBe('new')
      await reading
      expect(await cache.getOrSet('k', () => 'new')).toBe('new')
      await cache.delete('k')
    }
  })

  it.each(['invalidateTags', 'clear'] as const)('drops its copies at %s, its own and that of another process', async how => {
    const cache = open()
    const other = open()
    const invalidate = (by: Cache): Promise<unknown> => (how === 'clear' ? by.clear() : by.invalidateTags(['red']))
    await cache.getOrSet('k', () => 'loaded', { tags: ['red'] })
    expect(await remembered(cache, 'k')).toBe('loaded')
    await invalidate(cache)
    expect(cache.peek('k')).toBeUndefined()
    await cache.getOrSet('k', () => 'loaded', { tags: ['red'] })
    expect(await remembered(cache, 'k')).toBe('loaded')
    await invalidate(other)
    await until(() => cache.peek('k') === undefined)
  })

  it('drops its copies when another process invalidates a tag after Redis has lost the namespace record', async () => {
    const [cache, other] = [open(), open({ local: { mode: 'off' } })]
    await cache.getOrSet('k', () => 'loaded', { tags: ['red'] })
    expect(await remembered(cache, 'k')).toBe('loaded')
    await raw.del(`${namespace}:{t}:n`)
    await other.invalidateTags('red')
    await until(() => cache.peek('k') === undefined)
    expect(await cache.getOrSet('k', () => 'loaded anew', { tags: ['red'] })).toBe('loaded anew')
  })

  it('answers get, batches and resources, and drops their copies when another process changes them', async () => {
    const [cache, other] = [open({ version: 3 }), open({ version: 3 })]
    const rows = cache.define('row', {
      key: (id: number) => ({ id }),
      load: () => expect.unreachable(),
      version: 1,
      tags: ['rows'],
    })
    const keys = [1, 2, 3].map(id => rows.keyOf(id))
    await remembered(cache, 'anything')
    await other.setMany(keys.map(key => [key, 'own'] as const))
    for (const key of keys) await other.set(key, 'row', { version: 1, tags: ['rows'] })
    expect(await cache.getMany(keys)).toEqual(['own', 'own', 'own'])
    expect(await rows.getMany([1, 2, 3])).toEqual(['row', 'row', 'row'])
    const froms: string[] = []
    cache.on('hit', ({ from }) => froms.push(from))
    cache.on('lookup', ({ from }) => froms.push(from))
    await Promise.all([
      cache.get(keys[0] as string),
      cache.getMany(keys),
      cache.has(keys[1] as string),
      rows.get(2),
      rows.getMany([1, 3]),
    ])
    expect(new Set(froms)).toEqual(new Set(['local']))
    await other.delete(keys[0] as string, { version: 2 })
    await until(() => cache.peek(keys[0] as string) === undefined && rows.peek(1) === undefined)
    expect([cache.peek(keys[1] as string), rows.peek(2)]).toEqual(['own', 'row'])
    await other.invalidateTags('rows')
    await until(() => rows.peek(2) === undefined)
    expect(cache.peek(keys[1] as string)).toBe('own')
  })

  it('is refused on a store that does not tell of changes', () => {
    const silent = { kind: 'silent', open: () => ({ wakeId: () => '' }) as never }
    expect(() => createCache({ namespace, store: silent, local: { mode: 'trust' } })).toThrow(/local\.mode/)
  })
})

describe('a closed cache', () => {
  it('answers from no copy', async () => {
    const cache = open()
    await remembered(cache, 'k')
    await cache.close()
    expect(() => cache.peek('k')).toThrow(expect.objectContaining({ code: 'CACHE_CLOSED' }) as Error)
    await expect(cache.getOrSet('k', () => 'loaded')).rejects.toMatchObject({ code: 'CACHE_CLOSED' })
  })
})
