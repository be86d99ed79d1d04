import type { Product } from '../catalogue.ts'

/** A cache in front of the catalogue, or none. */
export interface Contender {
  read(id: number): Promise<Product>
  /** Invalidates a product that has changed: for everybody, or only deferred until the cache can be reached. */
  remove(id: number): Promise<'applied' | 'deferred'>
  /** Reads that met nothing they could use. */
  readonly misses: number
  close(): Promise<void>
}

export interface ContenderSettings {
  readonly load: (id: number) => Promise<Product>
  readonly redisUrl: string
  readonly namespace: string
  readonly ttlMs: number
}
