import { createEntryCodec } from './codec/entry-codec.ts'
import { buildEngine } from './core/build-engine.ts'
import { Cache } from './core/cache.ts'
import type { CacheOptions } from './core/options/options.ts'
import { resolveCacheOptions } from './core/options/resolve-options.ts'
import { memoryStore } from './memory/memory-store.ts'

/**
 * Opens a cache.
 *
 * @throws LeaseholdError `INVALID_OPTION`, `UNKNOWN_OPTION` before any work is done
 */
export function createCache(options: CacheOptions): Cache {
  const { engine, codec, store, clock, random } = resolveCacheOptions(options)
  return new Cache(buildEngine(engine, store ?? memoryStore(), createEntryCodec(codec), clock, random))
}
