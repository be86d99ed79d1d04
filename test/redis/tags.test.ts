import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createCache, type Cache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'

let raw: Redis
let cache: Cache
let namespace: string
beforeAll(() => {
  raw = new Redis(sharedRedisUrl())
})
afterAll(() => raw.disconnect())
beforeEach(() => {
  namespace = ownNamespace()
  cache = createCache({ namespace, store: redisStore(sharedRedisUrl()), commandTimeout: '10s' })
  return () => cache.close()
})

describe('what Redis has lost', () => {
  it('of the namespace record makes everything absent, tagged or not', async () => {
    await cache.set('tagged', 1, { tags: ['red'] })
    await cache.set('plain', 2)
    await raw.del(`${namespace}:{t}:n`)
    expect(await cache.getMany(['tagged', 'plain'])).toEqual([undefined, undefined])
    expect(await cache.getOrSet('plain', () => 3)).toBe(3)
    expect(await cache.get('tagged')).toBeUndefined()
    expect(await cache.get('plain')).toBe(3)
  })

  it.each([
    ['before the next invalidation', true],
    ['after it', false],
  ])('of the table of tags, %s, makes what has tags absent', async (_when, before) => {
    await cache.set('tagged', 1, { tags: ['red'] })
    await cache.set('plain', 2)
    await cache.invalidateTags('blue')
    await raw.del(`${namespace}:{t}:t`)
    if (before) await cache.invalidateTags('green')
    expect(await cache.getMany(['tagged', 'plain'])).toEqual([undefined, 2])
    await cache.set('tagged', 3, { tags: ['red'] })
    expect(await cache.get('tagged')).toBe(3)
  })

  it('and replaced by something else is made anew', async () => {
    await cache.set('k', 1, { tags: ['red'] })
    await raw.set(`${namespace}:{t}:t`, 'not a sorted set')
    await cache.invalidateTags('blue')
    expect(await cache.get('k')).toBeUndefined()
    await raw.lpush(`${namespace}:{t}:n2`, 'x')
    await raw.rename(`${namespace}:{t}:n2`, `${namespace}:{t}:n`)
    await cache.set('k', 2)
    expect(await cache.get('k')).toBe(2)
  })
})

describe('a server whose clock was set back', () => {
  /** As of a clock that was so much ahead when a tag was invalidated last. */
  const moveOn = async (byMs: number): Promise<void> => {
    const record = await raw.getBuffer(`${namespace}:{t}:n`)
    // The newest tag sequence, in microseconds.
    record!.writeBigUInt64BE(record!.readBigUInt64BE(8) + BigInt(byMs) * 1_000n, 8)
    await raw.set(`${namespace}:{t}:n`, record!)
  }

  it('invalidates by a tag what was stored before, for good, and nothing else', async () => {
    await cache.set('first', 0)
    await moveOn(86_400_000)
    await cache.set('k', 'old', { tags: ['red'] })
    await cache.set('other', 'kept', { tags: ['blue'] })
    await cache.invalidateTags('red')
    expect(await cache.getMany(['k', 'other'])).toEqual([undefined, 'kept'])
    // The clock is set right, and other tags are invalidated.
    await moveOn(86_400_000)
    expect(await cache.getMany(['k', 'other'])).toEqual([undefined, 'kept'])
  })
})

describe('the table of tags', () => {
  it('is bounded: the oldest are forgotten, and what was stored before them is absent', async () => {
    await cache.set('old', 1, { tags: ['kept'] })
    await cache.invalidateTags('first')
    // In parts, since a server that is busy for seconds counts as lost.
    const fill = `local now = redis.call("TIME")[1] * 1000000 - 2000000
      for i = ARGV[1] + 1, ARGV[1] + 10000 do redis.call("ZADD", KEYS[1], now + i, "filler" .. i) end`
    for (let from = 0; from < 250_000; from += 10_000) await raw.eval(fill, 1, `${namespace}:{t}:t`, from)
    await cache.invalidateTags(['second', 'third'])
    const count = await raw.zcard(`${namespace}:{t}:t`)
    expect(count).toBeLessThanOrEqual(250_001)
    await cache.set('new', 2, { tags: ['kept'] })
    expect(await cache.get('new')).toBe(2)
  })
})
