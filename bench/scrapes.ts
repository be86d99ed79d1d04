import { Registry } from 'prom-client'
import { createCache, type Cache } from '../src/index.ts'
import { collectCacheMetrics } from '../src/observe/prometheus/index.ts'
import { median } from './measurement.ts'

const resources = 100
const readsPerResource = 20

export interface ScrapeCost {
  readonly lines: number
  readonly medianMs: number
  readonly slowestMs: number
  /** CPU time of the process, which a busy machine disturbs least. */
  readonly cpuMs: number
}

/** Scrapes of a cache whose 100 resources have all been read, so that no series is at 0 throughout. */
export async function benchScrapes(rounds: number): Promise<ScrapeCost> {
  const { cache, registry } = observed()
  const tookMs: number[] = []
  const cpuMs: number[] = []
  let lines = 0
  for (let round = -2; round < rounds; round++) {
    await readAll(cache, `${round}`)
    const cpuBefore = process.cpuUsage()
    const startedAt = performance.now()
    const text = await registry.metrics()
    const elapsedMs = performance.now() - startedAt
    const { user, system } = process.cpuUsage(cpuBefore)
    lines = text.split('\n').length
    if (round < 0) continue
    tookMs.push(elapsedMs)
    cpuMs.push((user + system) / 1000)
  }
  await cache.close()
  return { lines, medianMs: median(tookMs), slowestMs: Math.max(...tookMs), cpuMs: median(cpuMs) }
}

export interface SeriesCount {
  readonly keys: number
  readonly before: number
  readonly after: number
}

/** Series before and after so many keys that nobody has seen before, a part of them of resources. */
export async function countSeries(keys: number): Promise<SeriesCount> {
  const { cache, registry } = observed()
  const before = await seriesOf(registry)
  for (let read = 0; read < keys; read++) {
    const random = Math.random().toString(36).slice(2)
    // Of a resource's own keys, of what only looks like one, and of no resource.
    const key = [`resource-${read % resources}:${random}`, `resource-${random}:1`, random][read % 3] as string
    await cache.getOrSet(key, () => read)
  }
  const after = await seriesOf(registry)
  await cache.close()
  return { keys, before, after }
}

function observed(): { readonly cache: Cache; readonly registry: Registry } {
  const cache = createCache({ namespace: 'bench' })
  const registry = new Registry()
  collectCacheMetrics(cache, { registry })
  for (let index = 0; index < resources; index++)
    cache.define(`resource-${index}`, { key: (params: { id: string }) => params, load: ({ id }) => id })
  return { cache, registry }
}

async function readAll(cache: Cache, salt: string): Promise<void> {
  for (let index = 0; index < resources; index++)
    for (let read = 0; read < readsPerResource; read++) await cache.getOrSet(`resource-${index}:${salt}:${read >> 1}`, () => read)
}

async function seriesOf(registry: Registry): Promise<number> {
  return (await registry.metrics()).split('\n').filter(line => line !== '' && !line.startsWith('#')).length
}
