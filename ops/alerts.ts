import {
  failedRefreshes,
  gauge,
  hitRatio,
  increase,
  lookups,
  ownOperations,
  quantile,
  rate,
  type Scope,
  sumBy,
} from './queries.ts'

export type Severity = 'info' | 'warning' | 'critical'

export interface Alert {
  readonly name: string
  readonly expr: string
  /** How long it must hold. */
  readonly for: string
  readonly severity: Severity
  readonly summary: string
  /** `docs/runbooks/<runbook>.md` */
  readonly runbook: string
}

const over5m: Scope = { cache: '', redis: '', range: '5m' }
const over10m: Scope = { ...over5m, range: '10m' }
const caches = ['cache']

/** A ratio of a handful of calls says nothing. */
const someTraffic = `${lookups(caches, over5m)} > 1`
const memoryShare = `${gauge('redis_used_memory_bytes', over5m)} / (${gauge('redis_maxmemory_bytes', over5m)} > 0)`
/** A small server's ratio is the program itself. */
const notTiny = `${gauge('redis_used_memory_bytes', over5m)} > 67108864`
const evictions = rate('redis_evicted_keys_total', over10m)
const evictionsBefore = rate('redis_evicted_keys_total', { ...over5m, range: '1h', offset: '10m' })

export const alerts: readonly Alert[] = [
  {
    name: 'CacheHitRatioLow',
    expr: `${hitRatio(caches, over5m)} < 0.70 and ${someTraffic}`,
    for: '5m',
    severity: 'critical',
    summary: 'Fewer than 70 % of the calls of {{ $labels.cache }} are hits ({{ $value | humanizePercentage }})',
    runbook: 'hit-ratio',
  },
  {
    name: 'CacheHitRatioBelow85',
    expr: `${hitRatio(caches, over5m)} < 0.85 and ${someTraffic}`,
    for: '15m',
    severity: 'warning',
    summary: 'The hit ratio of {{ $labels.cache }} is below its target of 85 % ({{ $value | humanizePercentage }})',
    runbook: 'hit-ratio',
  },
  {
    name: 'CacheHitRatioBelow92',
    expr: `${hitRatio(caches, over5m)} < 0.92 and ${someTraffic}`,
    for: '1h',
    severity: 'info',
    summary: 'The hit ratio of {{ $labels.cache }} is below its target of 92 % ({{ $value | humanizePercentage }})',
    runbook: 'hit-ratio',
  },
  {
    name: 'CacheLeaseWaitSlow',
    expr: `${quantile(0.95, 'cache_mutex_contention_seconds', caches, over5m)} > 0.2`,
    for: '5m',
    severity: 'warning',
    summary: 'Loads of {{ $labels.cache }} wait {{ $value | humanizeDuration }} for a lease (p95)',
    runbook: 'lease-wait',
  },
  {
    name: 'CacheOperationSlow',
    expr: `${quantile(0.99, 'cache_operation_seconds', caches, over5m, ownOperations)} > 0.05`,
    for: '5m',
    severity: 'warning',
    summary: 'Hits, lookups, sets and invalidations of {{ $labels.cache }} take {{ $value | humanizeDuration }} (p99)',
    runbook: 'slow-operations',
  },
  {
    name: 'CacheSerializationErrors',
    expr: `${sumBy(['cache', 'reason'], increase('cache_serialization_errors_total', over5m))} > 0`,
    for: '0m',
    severity: 'warning',
    summary: 'Values of {{ $labels.cache }} cannot be written or read ({{ $labels.reason }})',
    runbook: 'serialization-errors',
  },
  {
    name: 'CacheRefreshFailures',
    expr: `${failedRefreshes(caches, over10m)} > 0.05`,
    for: '5m',
    severity: 'warning',
    summary: '{{ $value | humanizePercentage }} of the refreshes of {{ $labels.cache }} fail',
    runbook: 'refresh-failures',
  },
  {
    name: 'CacheBreakerOpen',
    expr: `${sumBy(caches, gauge('cache_breakers', over5m))} > 0`,
    for: '1m',
    severity: 'critical',
    summary: '{{ $labels.cache }} keeps reads and loads away from Redis: a breaker is open',
    runbook: 'breaker-open',
  },
  {
    name: 'CacheJournalGrowing',
    expr: `${sumBy(caches, gauge('cache_journal_length', over5m))} > 0 and ${sumBy(caches, `delta(${gauge('cache_journal_length', over5m)}[5m])`)} >= 0`,
    for: '5m',
    severity: 'critical',
    summary: '{{ $value }} invalidations of {{ $labels.cache }} wait to be told to the store, and do not get fewer',
    runbook: 'journal-growing',
  },
  {
    name: 'CacheJournalOverflowed',
    expr: `${sumBy(caches, increase('cache_journal_changes_total', over10m, 'change="overflowed"'))} > 0`,
    for: '0m',
    severity: 'warning',
    summary:
      'More invalidations of {{ $labels.cache }} had to wait than can be remembered: all of it is cleared, and loaded anew',
    runbook: 'journal-growing',
  },
  {
    name: 'CacheStoreDown',
    expr: `min by (cache) (${gauge('cache_store_up', over5m)}) == 0`,
    for: '1m',
    severity: 'critical',
    summary: 'A process of {{ $labels.cache }} has no connection to its store, and calls its loaders instead',
    runbook: 'store-down',
  },
  {
    name: 'CacheBusDown',
    expr: `min by (cache) (${gauge('cache_bus_up', over5m)}) == 0`,
    for: '5m',
    severity: 'warning',
    summary: 'A process of {{ $labels.cache }} hears no wake-ups and polls instead',
    runbook: 'store-down',
  },
  memory('RedisMemory80', 0.8, '15m', 'info'),
  memory('RedisMemory85', 0.85, '10m', 'warning'),
  memory('RedisMemory90', 0.9, '5m', 'critical'),
  {
    name: 'RedisFragmented',
    expr: `${gauge('redis_mem_fragmentation_ratio', over5m)} > 1.5 and ${notTiny}`,
    for: '15m',
    severity: 'warning',
    summary: 'Redis {{ $labels.server }} takes {{ $value }} times the memory that it uses',
    runbook: 'fragmentation',
  },
  {
    name: 'RedisClientsNearLimit',
    expr: `${gauge('redis_connected_clients', over5m)} / ${gauge('redis_maxclients', over5m)} > 0.80`,
    for: '5m',
    severity: 'warning',
    summary: 'Redis {{ $labels.server }} has {{ $value | humanizePercentage }} of the clients it lets in',
    runbook: 'clients',
  },
  {
    name: 'RedisEvictionsRising',
    expr: `${evictions} > 1 and ${evictions} > 2 * ${evictionsBefore}`,
    for: '10m',
    severity: 'warning',
    summary: 'Redis {{ $labels.server }} evicts {{ $value }} keys per second, more than twice as many as in the hour before',
    runbook: 'evictions',
  },
  {
    name: 'RedisDown',
    expr: `${gauge('redis_up', over5m)} == 0`,
    for: '1m',
    severity: 'critical',
    summary: 'Redis {{ $labels.server }} does not answer',
    runbook: 'store-down',
  },
]

function memory(name: string, share: number, holds: string, severity: Severity): Alert {
  return {
    name,
    expr: `${memoryShare} > ${share.toFixed(2)}`,
    for: holds,
    severity,
    summary: 'Redis {{ $labels.server }} uses {{ $value | humanizePercentage }} of maxmemory',
    runbook: 'memory',
  }
}
