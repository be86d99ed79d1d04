import { AggregatorRegistry, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { collectCacheMetrics, collectRedisMetrics } from '../../../src/observe/prometheus/index.ts'
import { openFleet } from '../engine/stage.ts'

const info = (used: number): string =>
  `used_memory:${used}\nmem_fragmentation_ratio:6.2\nmaxclients:10\nevicted_keys:7\nkeyspace_hits:3\nkeyspace_misses:1\n`

/** What the primary process answers for workers with these registries. */
async function together(registries: readonly Registry[]): Promise<string[]> {
  const workers = await Promise.all(registries.map(registry => registry.getMetricsAsJSON()))
  return (await AggregatorRegistry.aggregate(workers).metrics()).split('\n')
}

describe('the metrics of the workers of a cluster, taken together', () => {
  it('add up what each worker did and holds, and tell the worst of what each is in', async () => {
    const { a, b, clock, store, until } = openFleet({ local: { mode: 'trust' } })
    await clock.advance(1)
    const registries = [a, b].map(cache => {
      const registry = new Registry()
      collectCacheMetrics(cache, { registry })
      return registry
    })
    for (const cache of [a, b]) {
      await until(cache.getOrSet('k', () => 1))
      await until(cache.getOrSet('k', () => 1))
    }
    const up = await together(registries)
    expect(up).toContain('cache_store_up{cache="test"} 1')
    expect(up).toContain('cache_bus_up{cache="test"} 1')
    expect(up).toContain('cache_local_trusted{cache="test"} 1')
    expect(up).toContain('cache_local_entries{cache="test"} 2')
    expect(up).toContain('cache_misses_total{cache="test",resource="",outcome="loaded"} 1')
    expect(up).toContain('cache_hits_total{cache="test",resource=""} 3')
    store.setBus(false)
    await clock.advance(1)
    expect(await together(registries)).toContain('cache_bus_up{cache="test"} 0')
  })

  it('tell the facts of a server once, however many workers ask it', async () => {
    const registries = [100, 300, 200].map(used => {
      const registry = new Registry()
      collectRedisMetrics({ info: () => Promise.resolve(info(used)) }, { registry })
      return registry
    })
    const lines = await together(registries)
    expect(lines).toContain('redis_up{server="redis"} 1')
    expect(lines).toContain('redis_used_memory_bytes{server="redis"} 300')
    expect(lines).toContain('redis_mem_fragmentation_ratio{server="redis"} 6.2')
    expect(lines).toContain('redis_maxclients{server="redis"} 10')
    expect(lines).toContain('redis_evicted_keys_total{server="redis"} 7')
    expect(lines).toContain('redis_keyspace_hit_ratio{server="redis"} 0.75')
    const unreachable = new Registry()
    collectRedisMetrics({ info: () => Promise.reject(new Error('down')) }, { registry: unreachable })
    expect(await together([...registries, unreachable])).toContain('redis_up{server="redis"} 0')
  })
})
