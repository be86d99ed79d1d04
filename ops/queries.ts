import type { CounterName, GaugeName, HistogramName } from '../src/observe/metrics/definitions.ts'
import type { RedisMetricName } from '../src/observe/prometheus/redis-metrics.ts'

/** PromQL made of metrics that exist: a misspelt one does not compile. */

type Counted = CounterName | Extract<RedisMetricName, `${string}_total`>
type Measured = GaugeName | Exclude<RedisMetricName, `${string}_total`>

/** The labels that a query picks, and the time it looks back over. */
export interface Scope {
  readonly cache: string
  readonly redis: string
  readonly range: string
  /** How long ago. */
  readonly offset?: string
}

function selected(name: string, scope: Scope, more: string): string {
  const labels = [name.startsWith('redis_') ? scope.redis : scope.cache, more].filter(label => label !== '')
  return labels.length === 0 ? name : `${name}{${labels.join(',')}}`
}

/** Per second. */
export function rate(name: Counted, scope: Scope, more: string = ''): string {
  const ago = scope.offset === undefined ? '' : ` offset ${scope.offset}`
  return `rate(${selected(name, scope, more)}[${scope.range}]${ago})`
}

export function gauge(name: Measured, scope: Scope, more: string = ''): string {
  return selected(name, scope, more)
}

export function increase(name: Counted, scope: Scope, more: string = ''): string {
  return `increase(${selected(name, scope, more)}[${scope.range}])`
}

export function quantile(share: number, name: HistogramName, by: readonly string[], scope: Scope, more: string = ''): string {
  const buckets = `rate(${selected(`${name}_bucket`, scope, more)}[${scope.range}])`
  return `histogram_quantile(${share}, sum by (${['le', ...by].join(', ')}) (${buckets}))`
}

export function observations(name: HistogramName, by: readonly string[], scope: Scope, more: string = ''): string {
  return sumBy(by, `rate(${selected(`${name}_count`, scope, more)}[${scope.range}])`)
}

export function sumBy(by: readonly string[], query: string): string {
  return by.length === 0 ? `sum(${query})` : `sum by (${by.join(', ')}) (${query})`
}

/** Calls answered fresh from the store, of all that asked the cache for a value. */
export function hitRatio(by: readonly string[], scope: Scope): string {
  return `${sumBy(by, rate('cache_hits_total', scope))} / ${lookups(by, scope)}`
}

/** Calls per second that asked the cache for a value. Those that a roll-out leaves out did not. */
export function lookups(by: readonly string[], scope: Scope): string {
  const all = [
    rate('cache_hits_total', scope),
    rate('cache_misses_total', scope, 'outcome!="bypassed"'),
    rate('cache_stale_total', scope),
  ]
  return `(${all.map(query => sumBy(by, query)).join(' + ')})`
}

/** Calls per second that would each have been a load without the cache. */
export function savedLoads(by: readonly string[], scope: Scope): string {
  const shared = rate('cache_misses_total', scope, 'outcome=~"joined|waited"')
  return [rate('cache_hits_total', scope), rate('cache_stale_total', scope), shared].map(query => sumBy(by, query)).join(' + ')
}

/** Of the refreshes that loaded. */
export function failedRefreshes(by: readonly string[], scope: Scope): string {
  const failed = rate('cache_background_refreshes_total', scope, 'outcome="failed"')
  const all = rate('cache_background_refreshes_total', scope, 'outcome=~"refreshed|not-stored|failed"')
  return `${sumBy(by, failed)} / ${sumBy(by, all)}`
}

/** Operations whose time is the cache's own: a miss takes as long as its load, and a stale answer may have waited for one. */
export const ownOperations = 'operation!~"miss|stale"'
