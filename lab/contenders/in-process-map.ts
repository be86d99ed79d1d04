import type { Product } from '../catalogue.ts'
import type { Contender, ContenderSettings } from './contender.ts'

/** A map in each process. An invalidation reaches the process that it happens in, and no other. */
export function openInProcessMap({ load, ttlMs }: ContenderSettings): Contender {
  const entries = new Map<number, { readonly product: Product; readonly expiresAt: number }>()
  let misses = 0
  return {
    async read(id) {
      const entry = entries.get(id)
      if (entry !== undefined && performance.now() < entry.expiresAt) return entry.product
      misses++
      const product = await load(id)
      entries.set(id, { product, expiresAt: performance.now() + ttlMs })
      return product
    },
    async remove(id) {
      entries.delete(id)
      return 'applied'
    },
    get misses() {
      return misses
    },
    async close() {
      entries.clear()
    },
  }
}
