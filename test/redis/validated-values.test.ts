import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache, type Cache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'

let caches: Cache[]
beforeEach(() => {
  caches = []
})
afterEach(async () => {
  await Promise.all(caches.map(cache => cache.close()))
})

const large = (name: string): { name: string; text: string } => ({ name, text: name.repeat(5_000) })

function open(namespace: string, mode: 'off' | 'validate'): Cache {
  const cache = createCache({
    namespace,
    store: redisStore(sharedRedisUrl()),
    values: 'freeze',
    compression: false,
    local: { mode },
    commandTimeout: '2s',
    storeBudget: '5s',
  })
  caches.push(cache)
  return cache
}

describe('a large value that is remembered', () => {
  it('is one and the same as long as Redis vouches for it', async () => {
    const cache = open(ownNamespace(), 'validate')
    await cache.set('k', large('old'))
    const first = await cache.get('k')
    expect(first).toEqual(large('old'))
    expect((await cache.get('k')) === first).toBe(true)
  })

  it.each(['delete', 'set', 'expire', 'load', 'tag', 'clear'] as const)(
    'is not answered once another process has changed it by %s',
    async how => {
      const namespace = ownNamespace()
      const [cache, other] = [open(namespace, 'validate'), open(namespace, 'off')]
      for (let round = 0; round < 10; round++) {
        await other.set('k', large('old'), { tags: ['t'] })
        expect(await cache.getOrSet('k', () => expect.unreachable())).toEqual(large('old'))
        expect(await cache.getOrSet('k', () => expect.unreachable())).toEqual(large('old'))
        if (how === 'delete') await other.delete('k')
        if (how === 'set') await other.set('k', large('new'))
        if (how === 'expire') await other.expire('k')
        if (how === 'load') await other.getOrSet('k', () => large('new'), { forceFresh: true })
        if (how === 'tag') await other.invalidateTags('t')
        if (how === 'clear') await other.clear()
        const [one, two] = await Promise.all([cache.getOrSet('k', () => large('new')), cache.getMany(['k', 'k'])])
        expect([one, ...two.filter(each => each !== undefined)].every(each => (each as { name: string }).name === 'new')).toBe(
          true,
        )
      }
    },
  )
})
