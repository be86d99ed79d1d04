import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createCache, type Cache, type CacheOptions } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'

let cache: Cache | undefined
let namespace: string

beforeEach(() => {
  namespace = ownNamespace()
})
afterEach(async () => {
  vi.useRealTimers()
  await cache?.close()
})

async function open(options: Partial<CacheOptions> = {}): Promise<Cache> {
  cache = createCache({ namespace, store: redisStore(sharedRedisUrl()), refresh: false, ...options })
  await cache.ready()
  return cache
}

/** Keeps the processor for so long. */
function compute(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

it('callers that compute with what they were given take no time from the budgets of those whose reads travelled with theirs', async () => {
  const busy = await open({ storeBudget: '150ms' })
  const names = Array.from({ length: 100 }, (_, index) => `key:${index}`)
  await busy.setMany(names.map(name => [name, 1]))
  const loads: boolean[] = []
  busy.on('load', ({ leased }) => loads.push(leased))
  const hits = names.map(name => busy.getOrSet(name, () => 2).then(() => compute(1)))
  const misses = names.map(name => busy.getOrSet(`not ${name}`, () => 2))
  await Promise.all([...hits, ...misses])
  expect(loads).toEqual(names.map(() => true))
})

it('a caller that does nothing but ask does not keep a lost connection from coming back', async () => {
  const asked = await open()
  await asked.set('k', 'v')
  const admin = new Redis(sharedRedisUrl())
  const list = String(await admin.call('CLIENT', 'LIST'))
  const id = list.split('\n').find(line => line.includes(`name=leasehold:${namespace}:reads`))
  await admin.call('CLIENT', 'KILL', 'ID', /id=(\d+)/.exec(id ?? '')?.[1] ?? '')
  const patience = performance.now() + 5_000
  const askUntil = async (enough: (answer: unknown) => boolean): Promise<unknown> => {
    for (;;) {
      const answer = await asked.get('k')
      if (enough(answer) || performance.now() > patience) return answer
    }
  }
  await askUntil(() => asked.status().store === 'down')
  // From here on it waits for nothing else.
  expect(await askUntil(answer => answer === 'v')).toBe('v')
  admin.disconnect()
})

it('Redis is real where the timers of a test are not: reads of one tick are answered', async () => {
  const real = await open()
  await real.setMany([
    ['a', 1],
    ['b', 2],
  ])
  vi.useFakeTimers()
  expect(await Promise.all([real.get('a'), real.get('b')])).toEqual([1, 2])
  expect(await Promise.all([real.get('a'), real.get('b'), real.getOrSet('c', () => 3)])).toEqual([1, 2, 3])
})
