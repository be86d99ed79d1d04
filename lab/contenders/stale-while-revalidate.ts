import { Redis } from 'ioredis'
import type { Product } from '../catalogue.ts'
import type { Contender, ContenderSettings } from './contender.ts'

interface Entry {
  readonly product: Product
  readonly freshUntil: number
}

/** Cache-aside that answers with what is past its lifetime, for one lifetime more, while one refresh per process runs behind. */
export function openStaleWhileRevalidate({ load, redisUrl, namespace, ttlMs }: ContenderSettings): Contender {
  const redis = new Redis(redisUrl)
  redis.on('error', () => {})
  const refreshing = new Set<number>()
  const keyOf = (id: number): string => `${namespace}:product:${id}`
  let misses = 0

  async function loadAndStore(id: number): Promise<Product> {
    const product = await load(id)
    const entry: Entry = { product, freshUntil: Date.now() + ttlMs }
    await redis.set(keyOf(id), JSON.stringify(entry), 'PX', 2 * ttlMs)
    return product
  }

  function refresh(id: number): void {
    if (refreshing.has(id)) return
    refreshing.add(id)
    loadAndStore(id)
      .catch(() => {})
      .finally(() => refreshing.delete(id))
  }

  return {
    async read(id) {
      const cached = await redis.get(keyOf(id))
      if (cached === null) {
        misses++
        return await loadAndStore(id)
      }
      const { product, freshUntil } = JSON.parse(cached) as Entry
      if (Date.now() >= freshUntil) refresh(id)
      return product
    },
    async remove(id) {
      await redis.del(keyOf(id))
      return 'applied'
    },
    get misses() {
      return misses
    },
    async close() {
      redis.disconnect()
    },
  }
}
