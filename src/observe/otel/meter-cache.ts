import {
  metrics,
  ValueType,
  type BatchObservableCallback,
  type Histogram,
  type Meter,
  type MetricOptions,
  type Observable,
} from '@opentelemetry/api'
import type { Cache } from '../../core/cache.ts'
import { checkCache, checkMethods, checkOptions, textOr } from '../check-arguments.ts'
import { CacheMeters } from '../metrics/cache-meters.ts'
import { metricDefinitions, metricNames, type HistogramName, type MetricName } from '../metrics/definitions.ts'

export interface MeterOptions {
  /** Default: the global provider's, named `leasehold`. */
  readonly meter?: Meter
  /** The attribute `cache`. Default: the cache's namespace. */
  readonly name?: string
}

const optionNames: ReadonlySet<string> = new Set<keyof MeterOptions>(['meter', 'name'])
const metersOf: WeakMap<Meter, CacheMeters> = new WeakMap()

/**
 * Counts what `cache` does from now on, in the metrics of `docs/metrics.md` under OpenTelemetry's spelling: `cache_hits_total` is `cache.hits`. A
 * Prometheus exporter spells them back. Ends when the cache is closed.
 *
 * @returns Stops it.
 * @throws LeaseholdError `INVALID_OPTION`, also if another open cache of that name is in the meter; `UNKNOWN_OPTION`
 */
export function meterCache(cache: Cache, options: MeterOptions = {}): () => void {
  checkCache(cache)
  checkOptions(options, optionNames)
  const meter = options.meter ?? metrics.getMeter('leasehold')
  checkMethods(
    'meter',
    meter,
    "a meter of OpenTelemetry's",
    'createHistogram',
    'createObservableCounter',
    'addBatchObservableCallback',
  )
  const meters = metersOf.get(meter) ?? new CacheMeters()
  metersOf.set(meter, meters)
  const histograms = new Map<HistogramName, Histogram>()
  const counts = meters.add(cache, textOr('name', options.name, cache.name), (metric, labels, seconds) =>
    histograms.get(metric)?.record(seconds, labels),
  )
  const observables = new Map<Observable, MetricName>()
  for (const name of metricNames) {
    const { kind, help, buckets } = metricDefinitions[name]
    const described: MetricOptions = { description: help, ...unitOf(name), valueType: ValueType.DOUBLE }
    const spelled = otelName(name)
    if (kind === 'histogram') {
      const advice = { explicitBucketBoundaries: [...(buckets ?? [])] }
      histograms.set(name as HistogramName, meter.createHistogram(spelled, { ...described, advice }))
    } else if (kind === 'counter') observables.set(meter.createObservableCounter(spelled, described), name)
    else observables.set(meter.createObservableGauge(spelled, described), name)
  }
  const report: BatchObservableCallback = result => {
    if (counts.closed) return stop()
    for (const [observable, name] of observables) {
      for (const { labels, value } of counts.read(name).all()) result.observe(observable, value, labels)
    }
  }
  const instruments = [...observables.keys()]
  const stop = (): void => {
    meter.removeBatchObservableCallback(report, instruments)
    meters.remove(counts)
  }
  meter.addBatchObservableCallback(report, instruments)
  return stop
}

/** OpenTelemetry's names have dots, and their unit apart. */
export function otelName(name: MetricName): string {
  return name.replace('cache_', 'cache.').replace(/(_seconds|_bytes)?(_total)?$/, '')
}

function unitOf(name: MetricName): { readonly unit?: string } {
  if (name.endsWith('_seconds')) return { unit: 's' }
  return name.includes('_bytes') ? { unit: 'By' } : {}
}
