import type { MetricName } from '../../src/observe/metrics/definitions.ts'
import type { RedisMetricName } from '../../src/observe/prometheus/redis-metrics.ts'

type Labels = Readonly<Record<string, string>>
/** So many minutes at this value, or growing by it each minute. */
type Piece = readonly [minutes: number, value: number]

interface InputSeries {
  readonly series: string
  readonly values: string
}

/** What makes an alert fire, and then lets it end. */
export interface AlertCase {
  readonly alert: string
  readonly series: readonly InputSeries[]
  /** Minutes, since the beginning. */
  readonly firesBy: number
  readonly quietAt: readonly number[]
}

const bad = 120
const good = 120
const shop = { cache: 'shop' }
const redis = { server: 'redis' }

function named(name: MetricName | RedisMetricName, labels: Labels, suffix: string = ''): string {
  return `${name}${suffix}{${Object.entries({ ...labels, job: 'app', instance: 'a:1' })
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`
}

function gauge(name: MetricName | RedisMetricName, labels: Labels, ...pieces: readonly Piece[]): InputSeries {
  return {
    series: named(name, labels),
    values: pieces.flatMap(([minutes, value]) => Array<number>(minutes).fill(value)).join(' '),
  }
}

function counter(name: MetricName | RedisMetricName, labels: Labels, ...pieces: readonly Piece[]): InputSeries {
  return { series: named(name, labels), values: grown(pieces) }
}

function grown(pieces: readonly Piece[]): string {
  let total = 0
  return pieces.flatMap(([minutes, perMinute]) => Array.from({ length: minutes }, () => (total += perMinute))).join(' ')
}

/** 60 observations a minute: `badLe` is the bucket that they first fall into, then `goodLe`. */
function histogram(name: MetricName, labels: Labels, bounds: readonly number[], badLe: number, goodLe: number): InputSeries[] {
  return [...bounds, Infinity].map(bound => {
    const le = bound === Infinity ? '+Inf' : String(bound)
    const pieces: Piece[] = [
      [bad, bound >= badLe ? 60 : 0],
      [good, bound >= goodLe ? 60 : 0],
    ]
    return { series: named(name, { ...labels, le }, '_bucket'), values: grown(pieces) }
  })
}

/** 100 calls a second, so many of them hits. */
function traffic(badHits: number, goodHits: number): InputSeries[] {
  const perMinute = 6000
  return [
    counter('cache_hits_total', { ...shop, resource: '' }, [bad, perMinute * badHits], [good, perMinute * goodHits]),
    counter(
      'cache_misses_total',
      { ...shop, resource: '', outcome: 'loaded' },
      [bad, perMinute * (1 - badHits)],
      [good, perMinute * (1 - goodHits)],
    ),
    counter('cache_stale_total', { ...shop, resource: '', reason: 'revalidate' }, [bad + good, 0]),
  ]
}

function memory(share: number): InputSeries[] {
  const gigabyte = 2 ** 30
  return [
    gauge('redis_used_memory_bytes', redis, [bad, share * gigabyte], [good, 0.7 * gigabyte]),
    gauge('redis_maxmemory_bytes', redis, [bad + good, gigabyte]),
  ]
}

/** Fires within the first two hours, for which things are bad, and is quiet after two good ones. */
function steady(alert: string, ...series: readonly InputSeries[]): AlertCase {
  return { alert, series, firesBy: bad - 5, quietAt: [0, bad + good - 5] }
}

export const alertCases: readonly AlertCase[] = [
  steady('CacheHitRatioLow', ...traffic(0.65, 0.75)),
  steady('CacheHitRatioBelow85', ...traffic(0.8, 0.9)),
  steady('CacheHitRatioBelow92', ...traffic(0.9, 0.95)),
  steady(
    'CacheLeaseWaitSlow',
    ...histogram('cache_mutex_contention_seconds', { ...shop, resource: '' }, [0.1, 0.2, 0.5], 0.5, 0.1),
  ),
  steady(
    'CacheOperationSlow',
    ...histogram('cache_operation_seconds', { ...shop, operation: 'hit' }, [0.01, 0.05, 0.1], 0.1, 0.01),
  ),
  steady(
    'CacheSerializationErrors',
    counter('cache_serialization_errors_total', { ...shop, reason: 'checksum' }, [10, 0], [bad - 10, 1], [good, 0]),
  ),
  steady(
    'CacheRefreshFailures',
    counter('cache_background_refreshes_total', { ...shop, resource: '', outcome: 'refreshed' }, [bad + good, 90]),
    counter('cache_background_refreshes_total', { ...shop, resource: '', outcome: 'failed' }, [bad, 10], [good, 2]),
  ),
  steady(
    'CacheBreakerOpen',
    gauge('cache_breakers', { ...shop, state: 'open' }, [bad, 1], [good, 0]),
    gauge('cache_breakers', { ...shop, state: 'half-open' }, [bad + good, 0]),
  ),
  steady('CacheJournalGrowing', {
    series: named('cache_journal_length', shop),
    values: [...Array.from({ length: bad }, (_, minute) => minute), ...Array<number>(good).fill(0)].join(' '),
  }),
  steady(
    'CacheJournalOverflowed',
    counter('cache_journal_changes_total', { ...shop, change: 'overflowed' }, [bad, 1], [good, 0]),
  ),
  steady('CacheStoreDown', gauge('cache_store_up', shop, [bad, 0], [good, 1])),
  steady('CacheBusDown', gauge('cache_bus_up', shop, [bad, 0], [good, 1])),
  steady('RedisMemory80', ...memory(0.82)),
  steady('RedisMemory85', ...memory(0.87)),
  steady('RedisMemory90', ...memory(0.92)),
  steady(
    'RedisFragmented',
    gauge('redis_mem_fragmentation_ratio', redis, [bad, 1.7], [good, 1.1]),
    gauge('redis_used_memory_bytes', redis, [bad + good, 2 ** 28]),
  ),
  steady(
    'RedisClientsNearLimit',
    gauge('redis_connected_clients', redis, [bad, 85], [good, 20]),
    gauge('redis_maxclients', redis, [bad + good, 100]),
  ),
  {
    alert: 'RedisEvictionsRising',
    // Steady evictions are a server of the size that it has: only their rise is told.
    series: [counter('redis_evicted_keys_total', redis, [100, 120], [30, 1200], [110, 120])],
    firesBy: 120,
    quietAt: [95, 235],
  },
  steady('RedisDown', gauge('redis_up', redis, [bad, 0], [good, 1])),
]

/** Bad but for which nobody should be woken. */
export const quietCases: readonly AlertCase[] = [
  {
    alert: 'CacheJournalGrowing',
    // Replayed faster than it grows.
    series: [
      {
        series: named('cache_journal_length', shop),
        values: Array.from({ length: bad }, (_, minute) => 1000 - minute).join(' '),
      },
    ],
    firesBy: Infinity,
    quietAt: [100],
  },
  {
    alert: 'CacheHitRatioLow',
    series: [
      counter('cache_hits_total', { ...shop, resource: '' }, [bad, 1]),
      counter('cache_misses_total', { ...shop, resource: '', outcome: 'loaded' }, [bad, 10]),
      counter('cache_stale_total', { ...shop, resource: '', reason: 'revalidate' }, [bad, 0]),
    ],
    firesBy: Infinity,
    quietAt: [100],
  },
  {
    alert: 'CacheHitRatioLow',
    // A roll-out to 5 % of the keys: the others do not go through the cache.
    series: [
      counter('cache_hits_total', { ...shop, resource: '' }, [bad, 280]),
      counter('cache_misses_total', { ...shop, resource: '', outcome: 'loaded' }, [bad, 20]),
      counter('cache_misses_total', { ...shop, resource: '', outcome: 'bypassed' }, [bad, 5700]),
      counter('cache_stale_total', { ...shop, resource: '', reason: 'revalidate' }, [bad, 0]),
    ],
    firesBy: Infinity,
    quietAt: [100],
  },
  {
    alert: 'CacheHitRatioLow',
    // Switched off.
    series: [
      counter('cache_hits_total', { ...shop, resource: '' }, [bad, 0]),
      counter('cache_misses_total', { ...shop, resource: '', outcome: 'loaded' }, [bad, 0]),
      counter('cache_misses_total', { ...shop, resource: '', outcome: 'bypassed' }, [bad, 6000]),
      counter('cache_stale_total', { ...shop, resource: '', reason: 'revalidate' }, [bad, 0]),
    ],
    firesBy: Infinity,
    quietAt: [100],
  },
  {
    alert: 'RedisMemory90',
    series: [gauge('redis_used_memory_bytes', redis, [bad, 2 ** 30]), gauge('redis_maxmemory_bytes', redis, [bad, 0])],
    firesBy: Infinity,
    quietAt: [100],
  },
  // A slow source: callers wait for it, or until a stale value stands in.
  ...['miss', 'stale'].map(operation => ({
    alert: 'CacheOperationSlow',
    series: histogram('cache_operation_seconds', { ...shop, operation }, [0.01, 0.05, 0.1], 0.1, 0.1),
    firesBy: Infinity,
    quietAt: [100],
  })),
]
