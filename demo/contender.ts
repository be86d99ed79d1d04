import type { Cache } from '../src/index.ts'
import type { Product, Products } from './products.ts'

/** A cache in front of the products, one way or the other. */
export interface Contender {
  read(id: number): Promise<Product>
  /** Deletes the cached product. Acknowledged when it resolves. */
  remove(id: number): Promise<void>
  close(): Promise<void>
}

export type ContenderName = 'cache-aside' | 'Leasehold'
export const contenderNames: readonly ContenderName[] = ['cache-aside', 'Leasehold']

export interface ContenderSettings {
  readonly products: Products
  /** Undefined: no Redis, each keeps its entries in the process. */
  readonly redisUrl: string | undefined
  readonly namespace: string
  readonly ttlSeconds: number
  /** For whoever watches a Leasehold cache from its beginning. */
  readonly watch?: ((cache: Cache) => void) | undefined
}
