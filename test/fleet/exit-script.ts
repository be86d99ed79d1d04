import { setTimeout as passed } from 'node:timers/promises'
import { createCache, type Cache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'

/** Run by itself: does one thing, closes the cache, and must then end without being told to. */
const never = new Promise<never>(() => {})

const throwUndefined = (): never => {
  throw undefined
}

type Result = 'fulfilled' | 'rejected'

const acts: Readonly<Record<string, (cache: Cache) => Promise<Result>>> = {
  'a loader throws undefined': cache => settled(cache.getOrSet('key', throwUndefined)),
  'a loader throws': cache => settled(cache.getOrSet('key', () => Promise.reject(new Error('no')))),
  'a loader returns undefined': cache => settled(cache.getOrSet('key', () => undefined)),
  'a loader never settles': cache => closedMidway(cache, () => never),
  'a loader never settles and nobody waits': async cache => {
    const call = cache.getOrSet('key', () => never, { signal: AbortSignal.timeout(50) })
    return settled(call)
  },
  'a loader passes its hard timeout': cache => settled(cache.getOrSet('key', () => never, { timeout: { hard: 50 } })),
  'a loader fulfils after close': cache => closedMidway(cache, () => passed(400, 'late')),
  'a loader rejects after close': cache => closedMidway(cache, () => passed(400).then(() => Promise.reject(new Error('late')))),
  'a loader throws undefined after close': cache => closedMidway(cache, () => passed(400).then(throwUndefined)),
  'a background refresh fails': async cache => {
    await cache.set('key', 'stored', { ttl: 1, staleWhileRevalidate: '1m' })
    await passed(20)
    return settled(cache.getOrSet('key', throwUndefined, { staleWhileRevalidate: '1m' }))
  },
  'a background refresh never settles': async cache => {
    await cache.set('key', 'stored', { ttl: 1, staleWhileRevalidate: '1m' })
    await passed(20)
    return settled(cache.getOrSet('key', () => never, { staleWhileRevalidate: '1m' }))
  },
  'nothing is called': async () => 'fulfilled',
}

function settled(call: Promise<unknown>): Promise<Result> {
  return call.then(
    () => 'fulfilled' as const,
    () => 'rejected' as const,
  )
}

async function closedMidway(cache: Cache, load: () => Promise<unknown>): Promise<Result> {
  let began = (): void => {}
  const running = new Promise<void>(resolve => (began = resolve))
  const call = settled(
    cache.getOrSet('key', () => {
      began()
      return load()
    }),
  )
  await running
  await cache.close()
  return call
}

const [act = '', redisUrl, namespace = ''] = process.argv.slice(2)
const cache = createCache({ namespace, store: redisStore(redisUrl), closeTimeout: 100 })
const result = await acts[act]?.(cache)
await cache.close()
process.stdout.write(String(result))
