import type { Cache } from '../../core/cache.ts'
import type { CacheEventListener } from '../../core/event-emitter.ts'
import type { CacheEventName } from '../../core/events.ts'
import { hitSampling, type HitCounts } from '../../core/hit-counts.ts'
import { metricDefinitions, metricNames, type CounterName, type HistogramName, type MetricName } from './definitions.ts'
import { MetricTable, observe, type Labels } from './metric-table.ts'

/** Told of every value that goes into a histogram. */
export type ObservationListener = (metric: HistogramName, labels: Labels, seconds: number) => void

type Listeners = { readonly [Name in CacheEventName]?: CacheEventListener<Name> }

/** Counts what one cache does. It reads no clock and makes no strings: whatever shows the counts pays for that when it asks. */
export class CacheMeter {
  /** The value of the label `cache`. */
  readonly name: string
  readonly #cache: Cache
  readonly #tables: ReadonlyMap<MetricName, MetricTable>
  readonly #hits: HitCounts
  readonly #hitsBefore: number
  readonly #localHitsBefore: number
  readonly #bytesBefore: number
  readonly #resourceHitsBefore: ReadonlyMap<string, number>
  /** Those that have been declared in every table. */
  readonly #resources: Set<string> = new Set()
  readonly #lookupHits: Map<string, number> = new Map()
  #localLookups = 0
  readonly #listeners: Listeners
  readonly #onObservation: ObservationListener | undefined
  #readBytes = 0
  #stopped = false

  constructor(cache: Cache, name: string, onObservation?: ObservationListener) {
    this.name = name
    this.#cache = cache
    this.#onObservation = onObservation
    this.#tables = new Map(metricNames.map(metric => [metric, new MetricTable(metricDefinitions[metric], name)]))
    this.#hits = cache.countHits(durationMs => {
      if (!this.#stopped) this.#observe('cache_operation_seconds', undefined, durationMs, 'hit', hitSampling)
    })
    this.#hitsBefore = this.#hits.hits
    this.#localHitsBefore = this.#hits.local
    this.#bytesBefore = this.#hits.bytes
    this.#resourceHitsBefore = new Map(this.#hits.byResource)
    this.#listeners = this.#makeListeners()
    for (const event of Object.keys(this.#listeners) as CacheEventName[]) this.#listen(event, 'on')
  }

  stop(): void {
    this.#stopped = true
    for (const event of Object.keys(this.#listeners) as CacheEventName[]) this.#listen(event, 'off')
  }

  get closed(): boolean {
    return this.#cache.status().phase === 'closed'
  }

  /** The metric's series as they are now. */
  read(metric: MetricName): MetricTable {
    const table = this.#tables.get(metric) as MetricTable
    this.#declareResources()
    if (metric === 'cache_hits_total') this.#copyHits(table)
    const value = this.#valueNow(metric)
    const series = value === undefined ? undefined : table.at(undefined)
    if (series !== undefined && value !== undefined) series.value = value
    if (metric === 'cache_breakers') this.#countBreakers(table)
    if (metric === 'cache_outage_loads') this.#copyOutageLoads(table)
    return table
  }

  #declareResources(): void {
    const { resources } = this.#cache
    if (resources.size === this.#resources.size) return
    for (const resource of resources) {
      if (this.#resources.has(resource)) continue
      this.#resources.add(resource)
      for (const table of this.#tables.values()) table.declare(resource)
    }
  }

  /** Resources may have been defined since the last look. */
  #resourceAt(key: string): string {
    this.#declareResources()
    return this.#resourceOf(key)
  }

  /** Of keys such as `user:id=1`: the name that they begin with, if a resource of that name is defined. */
  #resourceOf(key: string): string {
    let found = ''
    for (let end = key.indexOf(':'); end !== -1; end = key.indexOf(':', end + 1)) {
      const name = key.slice(0, end)
      if (this.#resources.has(name)) found = name
    }
    return this.#resources.has(key) ? key : found
  }

  #copyHits(table: MetricTable): void {
    let ofNone = this.#hits.hits - this.#hitsBefore
    for (const [resource, hits] of this.#hits.byResource) {
      const own = hits - (this.#resourceHitsBefore.get(resource) ?? 0)
      ofNone -= own
      this.#setHits(table, resource, own)
    }
    this.#setHits(table, '', ofNone)
    for (const resource of this.#lookupHits.keys()) {
      if (resource !== '' && !this.#hits.byResource.has(resource)) this.#setHits(table, resource, 0)
    }
  }

  #setHits(table: MetricTable, resource: string, hits: number): void {
    const series = table.at(resource)
    if (series !== undefined) series.value = hits + (this.#lookupHits.get(resource) ?? 0)
  }

  #copyOutageLoads(table: MetricTable): void {
    for (const [state, loads] of Object.entries(this.#cache.status().outageLoads)) {
      const series = table.at(undefined, state)
      if (series !== undefined) series.value = loads
    }
  }

  #countBreakers(table: MetricTable): void {
    for (const series of table.all()) series.value = 0
    for (const state of Object.values(this.#cache.status().breakers)) {
      const series = table.at(undefined, state)
      if (series !== undefined) series.value++
    }
  }

  /** What is not counted here but looked up when asked for. */
  #valueNow(metric: MetricName): number | undefined {
    const status = this.#cache.status()
    switch (metric) {
      case 'cache_read_bytes_total':
        return this.#hits.bytes - this.#bytesBefore + this.#readBytes
      case 'cache_store_up':
        return status.store === 'up' ? 1 : 0
      case 'cache_bus_up':
        return status.bus === 'up' ? 1 : 0
      case 'cache_journal_length':
        return status.deferredInvalidations
      case 'cache_pending_calls':
        return status.pendingCalls
      case 'cache_held_leases':
        return status.heldLeases
      case 'cache_running_refreshes':
        return status.runningRefreshes
      case 'cache_local_hits_total':
        return this.#hits.local - this.#localHitsBefore + this.#localLookups
      case 'cache_local_trusted':
        return status.local?.trusted === true ? 1 : 0
      case 'cache_local_age_seconds':
        return (status.local?.pulseAgeMs ?? 0) / 1000
      case 'cache_local_entries':
        return status.local?.entries ?? 0
      case 'cache_local_bytes':
        return status.local?.bytes ?? 0
      default:
        return undefined
    }
  }

  #makeListeners(): Listeners {
    return {
      lookup: ({ key, outcome, from, bytes, durationMs }) => {
        const resource = this.#resourceAt(key)
        if (outcome === 'fresh') this.#lookupHits.set(resource, (this.#lookupHits.get(resource) ?? 0) + 1)
        else this.#count('cache_misses_total', resource, 'absent')
        if (from === 'store') this.#readBytes += bytes
        else this.#localLookups++
        this.#observe('cache_operation_seconds', undefined, durationMs, 'lookup')
      },
      miss: ({ key, outcome, durationMs }) => {
        this.#count('cache_misses_total', this.#resourceAt(key), outcome)
        this.#observe('cache_operation_seconds', undefined, durationMs, 'miss')
      },
      stale: ({ key, reason, bytes, durationMs }) => {
        this.#count('cache_stale_total', this.#resourceAt(key), reason)
        this.#readBytes += bytes
        this.#observe('cache_operation_seconds', undefined, durationMs, 'stale')
      },
      wait: ({ key, waitedMs }) => this.#observe('cache_mutex_contention_seconds', this.#resourceAt(key), waitedMs),
      load: ({ key, outcome, durationMs }) => {
        const resource = this.#resourceAt(key)
        this.#count('cache_loads_total', resource, outcome)
        this.#observe('cache_load_seconds', resource, durationMs)
      },
      commit: ({ key, outcome, bytes, payloadBytes }) => {
        this.#count('cache_commits_total', this.#resourceAt(key), outcome)
        if (outcome === 'stored') this.#countWritten(bytes, payloadBytes)
      },
      renewal: ({ outcome }) => this.#count('cache_lease_renewals_total', undefined, outcome),
      lost: ({ key }) => this.#count('cache_leases_lost_total', this.#resourceAt(key)),
      refresh: ({ key, outcome }) => this.#count('cache_background_refreshes_total', this.#resourceAt(key), outcome),
      set: ({ outcome, bytes, payloadBytes, durationMs }) => {
        this.#count('cache_sets_total', undefined, outcome)
        if (outcome === 'stored') this.#countWritten(bytes, payloadBytes)
        this.#observe('cache_operation_seconds', undefined, durationMs, 'set')
      },
      invalidate: ({ operation, durationMs }) => {
        this.#count('cache_invalidations_total', undefined, operation)
        this.#observe('cache_operation_seconds', undefined, durationMs, 'invalidate')
      },
      'encode-error': () => this.#count('cache_serialization_errors_total', undefined, 'encode'),
      'decode-error': ({ reason }) => this.#count('cache_serialization_errors_total', undefined, reason),
      'store-error': ({ code }) => this.#count('cache_errors_total', undefined, code),
      connection: ({ part, state }) => {
        if (state === 'down') this.#count('cache_connection_losses_total', undefined, part)
      },
      journal: ({ change, count }) => this.#count('cache_journal_changes_total', undefined, change, count),
      breaker: ({ state, reason }) => {
        if (state === 'open') this.#count('cache_breaker_trips_total', undefined, reason)
      },
    }
  }

  #listen<Name extends CacheEventName>(event: Name, how: 'on' | 'off'): void {
    const listener: CacheEventListener<Name> | undefined = this.#listeners[event]
    if (listener !== undefined) this.#cache[how](event, listener)
  }

  #countWritten(bytes: number, payloadBytes: number): void {
    this.#count('cache_written_bytes_total', undefined, '', bytes)
    this.#count('cache_serialized_bytes_total', undefined, '', payloadBytes)
  }

  #count(metric: CounterName, resource: string | undefined, choice?: string, by: number = 1): void {
    const series = this.#tables.get(metric)?.at(resource, choice)
    if (series !== undefined) series.value += by
  }

  #observe(metric: HistogramName, resource: string | undefined, ms: number, choice?: string, weight: number = 1): void {
    const table = this.#tables.get(metric)
    const series = table?.at(resource, choice)
    const buckets = table?.definition.buckets
    if (series?.distribution === undefined || buckets === undefined) return
    observe(series.distribution, buckets, ms / 1000, weight)
    this.#onObservation?.(metric, series.labels, ms / 1000)
  }
}
