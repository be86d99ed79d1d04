import type { Registry } from 'prom-client'
import type { Cache } from '../../core/cache.ts'
import { checkCache, checkOptions, textOr } from '../check-arguments.ts'
import { CacheMeters } from '../metrics/cache-meters.ts'
import { metricDefinitions, metricNames, type MetricName } from '../metrics/definitions.ts'
import type { Series } from '../metrics/metric-table.ts'
import { addToRegistry, RegisteredMetric, registryOr } from './registered-metric.ts'

export interface CacheMetricsOptions {
  /** Where the metrics go. Default: prom-client's global registry. */
  readonly registry?: Registry
  /** The label `cache`. Default: the cache's namespace. */
  readonly name?: string
}

const optionNames: ReadonlySet<string> = new Set<keyof CacheMetricsOptions>(['registry', 'name'])
const metersOf: WeakMap<Registry, CacheMeters> = new WeakMap()

/**
 * Counts what `cache` does from now on, in all metrics of `docs/metrics.md`. Each series exists from now on, at 0,
 * until the cache is closed.
 *
 * @returns Stops counting and takes the cache's series away.
 * @throws LeaseholdError `INVALID_OPTION`, also if another open cache of that name is in the registry; `UNKNOWN_OPTION`
 */
export function collectCacheMetrics(cache: Cache, options: CacheMetricsOptions = {}): () => void {
  checkCache(cache)
  checkOptions(options, optionNames)
  const name = textOr('name', options.name, cache.name)
  const meters = metersIn(registryOr(options.registry))
  const meter = meters.add(cache, name)
  return () => meters.remove(meter)
}

function metersIn(registry: Registry): CacheMeters {
  const known = metersOf.get(registry)
  // A registry that was cleared has lost the metrics, not the meters.
  if (known !== undefined && registry.getSingleMetric(metricNames[0] as string) !== undefined) return known
  const meters = known ?? new CacheMeters()
  for (const name of metricNames) {
    addToRegistry(registry, new RegisteredMetric(name, metricDefinitions[name], () => seriesOf(meters, name)))
  }
  metersOf.set(registry, meters)
  return meters
}

function* seriesOf(meters: CacheMeters, name: MetricName): Iterable<Series> {
  for (const meter of meters.all()) yield* meter.read(name).all()
}
