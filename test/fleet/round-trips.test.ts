import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache, type Cache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'
import { CommandWatch } from './command-watch.ts'

const keys = Array.from({ length: 64 }, (_, index) => `key-${index}`)
let cache: Cache
let commands: CommandWatch

const unexpected = (): never => {
  throw new Error('a hit must not load')
}

beforeEach(async () => {
  const namespace = ownNamespace()
  cache = createCache({ namespace, store: redisStore(sharedRedisUrl()) })
  commands = await CommandWatch.start(sharedRedisUrl(), namespace)
  // A server that does not know a script yet is sent its text once.
  await cache.getOrSet('warm-up', () => 'warm')
  await cache.getOrSet('uncached', () => undefined)
  // The longest lifetime of all: others need not tell the namespace record of theirs.
  await cache.set('warm-up', 'warm', { ttl: '1h' })
  await cache.expire('warm-up')
  await cache.delete('warm-up')
  await cache.invalidateTags('warm-up')
  await cache.clear()
  await commands.take()
})
afterEach(async () => {
  await cache.close()
  await commands[Symbol.asyncDispose]()
})

describe('what a call costs in Redis commands', () => {
  it('64 hits of different keys in one tick: one MGET and no script', async () => {
    await Promise.all(keys.map(key => cache.set(key, key)))
    await commands.take()
    expect(await Promise.all(keys.map(key => cache.getOrSet(key, unexpected)))).toEqual(keys)
    expect(await commands.take()).toEqual({ mget: 1 })
  })

  it('64 hits of one key in one tick: one command and no script', async () => {
    await cache.set('hot', 'value')
    await commands.take()
    await Promise.all(keys.map(() => cache.getOrSet('hot', unexpected)))
    const counts = await commands.take()
    expect((counts['mget'] ?? 0) + (counts['get'] ?? 0)).toBe(1)
    expect(Object.keys(counts)).toHaveLength(1)
  })

  it.each(['get', 'getEntry', 'has'] as const)('64 × %s in one tick: one MGET and no script', async method => {
    await Promise.all(keys.map(key => cache[method](key)))
    expect(await commands.take()).toEqual({ mget: 1 })
  })

  it('a miss: three round trips, a read, an acquire with the namespace record beside it, and a commit', async () => {
    await cache.getOrSet('cold', () => 'loaded')
    const { get = 0, mget = 0, ...others } = await commands.take()
    expect(get + mget).toBe(2)
    expect(others).toEqual({ acquire: 1, commit: 1 })
  })

  it('50 callers of one cold key: the three round trips of one', async () => {
    await Promise.all(keys.slice(0, 50).map(() => cache.getOrSet('cold', () => 'loaded')))
    const { get = 0, mget = 0, ...others } = await commands.take()
    expect(get + mget).toBe(2)
    expect(others).toEqual({ acquire: 1, commit: 1 })
  })

  it('64 hits by one batch: one MGET and no script', async () => {
    await cache.setMany(keys.map(key => [key, key]))
    await commands.take()
    expect(await cache.getMany(keys)).toEqual(keys)
    expect(await commands.take()).toEqual({ mget: 1 })
    expect(await cache.getOrSetMany(keys, unexpected)).toEqual(keys)
    expect(await commands.take()).toEqual({ mget: 1 })
  })

  it('64 misses by one batch: one MGET, an acquire and a commit for each, and one more for the namespace record beside the acquires', async () => {
    const asked: (readonly string[])[] = []
    const load = (missing: readonly string[]): readonly string[] => {
      asked.push(missing)
      return missing
    }
    expect(await cache.getOrSetMany(keys, load)).toEqual(keys)
    expect(asked).toHaveLength(1)
    expect(await commands.take()).toEqual({ mget: 2, acquire: 64, commit: 64 })
  })

  it('a refresh ahead: the hit, an acquire and a commit', async () => {
    await cache.set('stale', 'old', { ttl: 1, staleWhileRevalidate: '1m' })
    await expect.poll(async () => (await cache.getEntry('stale'))?.fresh).toBe(false)
    await commands.take()
    const refreshed = new Promise(resolve => cache.on('refresh', resolve))
    expect(await cache.getOrSet('stale', () => 'new', { staleWhileRevalidate: '1m' })).toBe('old')
    await refreshed
    const { get = 0, mget = 0, ...others } = await commands.take()
    expect(get + mget).toBe(2)
    expect(others).toEqual({ acquire: 1, commit: 1 })
  })

  it('set: the namespace record, then one script', async () => {
    await cache.set('key', 'value')
    expect(await commands.take()).toEqual({ mget: 1, put: 1 })
  })

  it.each([
    ['delete', 'remove'],
    ['expire', 'expire'],
  ] as const)('%s: one script', async (method, script) => {
    await cache[method]('key')
    expect(await commands.take()).toEqual({ [script]: 1 })
  })

  it('invalidateTags and clear: one script each', async () => {
    await cache.invalidateTags(['red', 'blue'])
    expect(await commands.take()).toEqual({ 'bump-tags': 1 })
    await cache.clear()
    expect(await commands.take()).toEqual({ clear: 1 })
  })

  it('64 hits with tags in one tick: the one MGET; after another tag was invalidated, one look-up more for all of them', async () => {
    const tags = ['red']
    await Promise.all(keys.map(key => cache.set(key, key, { tags })))
    await commands.take()
    const hits = (): Promise<unknown> => Promise.all(keys.map(key => cache.getOrSet(key, unexpected, { tags })))
    await hits()
    expect(await commands.take()).toEqual({ mget: 1 })
    await cache.invalidateTags('blue')
    await commands.take()
    for (let time = 0; time < 2; time++) {
      await hits()
      expect(await commands.take()).toEqual({ mget: 1, zmscore: 1 })
    }
  })

  it('a loader that fails: a read, an acquire and a release', async () => {
    await expect(cache.getOrSet('failing', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    const { get = 0, mget = 0, ...others } = await commands.take()
    expect(get + mget).toBe(2)
    expect(others).toEqual({ acquire: 1, release: 1 })
  })
})
