import type { Registry } from 'prom-client'
import type { Cache } from '../../core/cache.ts'
import { describeValue } from '../../core/describe-value.ts'
import { LeaseholdError } from '../../core/errors.ts'
import { CacheMeter } from '../metrics/cache-meter.ts'
import { metricDefinitions, metricNames, type MetricName } from '../metrics/definitions.ts'
import type { Series } from '../metrics/metric-table.ts'
import { addToRegistry, RegisteredMetric, registryOr } from './registered-metric.ts'

export interface CacheMetricsOptions {
  /** Where the metrics go. Default: prom-client's global registry. */
  readonly registry?: Registry
  /** The label `cache`. Default: the cache's namespace. */
  readonly name?: string
}

/** The meters of a registry's caches, by the label `cache`. */
const metersOf: WeakMap<Registry, Map<string, CacheMeter>> = new WeakMap()

/**
 * Counts what `cache` does from now on, in all metrics of `docs/metrics.md`. Each series exists from now on, at 0.
 *
 * @returns Stops counting and takes the cache's series away.
 * @throws LeaseholdError `INVALID_OPTION` if another cache of that name is in the registry
 */
export function collectCacheMetrics(cache: Cache, options: CacheMetricsOptions = {}): () => void {
  const registry = registryOr(options.registry)
  const name = options.name ?? cache.name
  const meters = metersIn(registry)
  if (meters.has(name)) {
    const message = `metrics of a cache named ${describeValue(name)} are collected already; give this one another name, or stop the other`
    throw new LeaseholdError('INVALID_OPTION', message, { option: 'name' })
  }
  const meter = new CacheMeter(cache, name)
  meters.set(name, meter)
  return () => {
    meter.stop()
    if (meters.get(name) === meter) meters.delete(name)
  }
}

function metersIn(registry: Registry): Map<string, CacheMeter> {
  const known = metersOf.get(registry)
  // A registry that was cleared has lost the metrics, not the meters.
  if (known !== undefined && registry.getSingleMetric(metricNames[0] as string) !== undefined) return known
  const meters = known ?? new Map<string, CacheMeter>()
  for (const name of metricNames) {
    addToRegistry(registry, new RegisteredMetric(name, metricDefinitions[name], () => seriesOf(meters, name)))
  }
  metersOf.set(registry, meters)
  return meters
}

function* seriesOf(meters: ReadonlyMap<string, CacheMeter>, name: MetricName): Iterable<Series> {
  for (const meter of meters.values()) yield* meter.read(name).all()
}
