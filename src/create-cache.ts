import { createEntryCodec } from './codec/entry-codec.ts'
import { buildEngine } from './core/build-engine.ts'
import { Cache } from './core/cache.ts'
import type { CacheOptions } from './core/options/options.ts'
import { resolveCacheOptions, withSubNamespace, type ResolvedOptions } from './core/options/resolve-options.ts'
import type { StoreProvider } from './core/ports.ts'
import { copyTable } from './memory/copy-table.ts'
import { memoryStore } from './memory/memory-store.ts'

/**
 * Opens a cache.
 *
 * @throws LeaseholdError `INVALID_OPTION`, `UNKNOWN_OPTION` before any work is done
 */
export function createCache(options: CacheOptions): Cache {
  const resolved = resolveCacheOptions(options)
  return openCache(resolved, resolved.store ?? memoryStore())
}

/** Sub-namespaces share the store. */
function openCache(resolved: ResolvedOptions, store: StoreProvider): Cache {
  const { engine, codec, clock, random } = resolved
  const built = buildEngine(engine, store, createEntryCodec(codec), clock, random, copyTable)
  return new Cache(built, name => openCache(withSubNamespace(resolved, name), store))
}
