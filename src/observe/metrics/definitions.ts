/** How prom-client makes one value of those that the workers of a `node:cluster` have. */
export type Aggregator = 'sum' | 'min' | 'max' | 'average'

/** One metric. Its labels are `cache`, `resource` if it has one, and the one of `choice`. */
export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** Counted for each resource apart. What belongs to no resource has an empty one. */
  readonly perResource?: true
  readonly choice?: { readonly label: string; readonly values: readonly string[] }
  /** Upper bounds of a histogram, in seconds. */
  readonly buckets?: readonly number[]
  /** Default `'sum'`, which suits whatever each worker counts for itself. */
  readonly aggregator?: Aggregator
}

/** A metric of which it has to be said: a sum may mean nothing. */
export interface AggregatedMetric extends MetricDefinition {
  readonly aggregator: Aggregator
}

export type CounterName =
  | 'cache_hits_total'
  | 'cache_local_hits_total'
  | 'cache_misses_total'
  | 'cache_stale_total'
  | 'cache_errors_total'
  | 'cache_serialization_errors_total'
  | 'cache_background_refreshes_total'
  | 'cache_loads_total'
  | 'cache_commits_total'
  | 'cache_leases_lost_total'
  | 'cache_lease_renewals_total'
  | 'cache_sets_total'
  | 'cache_invalidations_total'
  | 'cache_read_bytes_total'
  | 'cache_written_bytes_total'
  | 'cache_serialized_bytes_total'
  | 'cache_connection_losses_total'
  | 'cache_breaker_trips_total'
  | 'cache_journal_changes_total'

export type GaugeName =
  | 'cache_store_up'
  | 'cache_breakers'
  | 'cache_journal_length'
  | 'cache_outage_loads'
  | 'cache_bus_up'
  | 'cache_pending_calls'
  | 'cache_held_leases'
  | 'cache_running_refreshes'
  | 'cache_local_trusted'
  | 'cache_local_age_seconds'
  | 'cache_local_entries'
  | 'cache_local_bytes'

export type HistogramName = 'cache_mutex_contention_seconds' | 'cache_load_seconds' | 'cache_operation_seconds'

export type MetricName = CounterName | GaugeName | HistogramName

const waits = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30]
const operations = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/** Every metric of a cache. `docs/metrics.md` lists the same, held equal by a test. */
export const metricDefinitions: Readonly<
  Record<CounterName | HistogramName, MetricDefinition> & Record<GaugeName, AggregatedMetric>
> = {
  cache_hits_total: {
    kind: 'counter',
    help: 'Calls answered with a fresh value from the store.',
    perResource: true,
  },
  cache_local_hits_total: {
    kind: 'counter',
    help: 'Those of the hits that were answered by a copy in this process.',
  },
  cache_misses_total: {
    kind: 'counter',
    help: 'Calls that found no usable value, by what became of them.',
    perResource: true,
    choice: { label: 'outcome', values: ['loaded', 'joined', 'waited', 'unleased', 'kept', 'bypassed', 'failed', 'absent'] },
  },
  cache_stale_total: {
    kind: 'counter',
    help: 'Calls answered with a value past its freshness, by why.',
    perResource: true,
    choice: { label: 'reason', values: ['revalidate', 'load-failed', 'timeout', 'cooldown', 'store-failed'] },
  },
  cache_errors_total: {
    kind: 'counter',
    help: 'Store commands that failed.',
    choice: {
      label: 'code',
      values: ['STORE_TIMEOUT', 'STORE_UNAVAILABLE', 'STORE_FULL', 'STORE_REFUSED', 'STORE_UNSUPPORTED'],
    },
  },
  cache_serialization_errors_total: {
    kind: 'counter',
    help: 'Values that could not be written (encode) and stored bytes that could not be read.',
    choice: {
      label: 'reason',
      values: ['encode', 'foreign', 'wire-version', 'truncated', 'checksum', 'unknown-codec', 'payload', 'schema', 'upgrade'],
    },
  },
  cache_background_refreshes_total: {
    kind: 'counter',
    help: 'Refreshes behind the callers, by how they ended.',
    perResource: true,
    choice: { label: 'outcome', values: ['refreshed', 'not-stored', 'failed', 'busy', 'superseded', 'full'] },
  },
  cache_mutex_contention_seconds: {
    kind: 'histogram',
    help: 'How long loads waited for a lease that someone else held.',
    perResource: true,
    buckets: waits,
  },
  cache_loads_total: {
    kind: 'counter',
    help: 'Loaders that ran, by how they ended.',
    perResource: true,
    choice: { label: 'outcome', values: ['value', 'nothing', 'failed', 'timeout', 'aborted'] },
  },
  cache_load_seconds: {
    kind: 'histogram',
    help: 'How long loaders ran.',
    perResource: true,
    buckets: waits,
  },
  cache_commits_total: {
    kind: 'counter',
    help: 'Loaded values on their way to the store, by what became of them.',
    perResource: true,
    choice: { label: 'outcome', values: ['stored', 'lost', 'late', 'full', 'unknown', 'too-large'] },
  },
  cache_leases_lost_total: {
    kind: 'counter',
    help: 'Leases that were revoked, evicted or ran out while their loader was running.',
    perResource: true,
  },
  cache_lease_renewals_total: {
    kind: 'counter',
    help: 'Renewals of leases.',
    choice: { label: 'outcome', values: ['renewed', 'lost', 'unknown'] },
  },
  cache_operation_seconds: {
    kind: 'histogram',
    help: 'How long calls took. A miss includes its load, a stale answer the time that it waited for one.',
    choice: { label: 'operation', values: ['hit', 'stale', 'miss', 'lookup', 'set', 'invalidate'] },
    buckets: operations,
  },
  cache_sets_total: {
    kind: 'counter',
    help: 'Values stored by set, by what became of them.',
    choice: { label: 'outcome', values: ['stored', 'full', 'unknown', 'deferred'] },
  },
  cache_invalidations_total: {
    kind: 'counter',
    help: 'Invalidations: of one key, of tags, of the whole namespace.',
    choice: { label: 'operation', values: ['delete', 'expire', 'tags', 'clear'] },
  },
  cache_read_bytes_total: {
    kind: 'counter',
    help: 'Bytes of the stored entries that calls were answered from.',
  },
  cache_written_bytes_total: {
    kind: 'counter',
    help: 'Bytes of the entries that were stored, headers included.',
  },
  cache_serialized_bytes_total: {
    kind: 'counter',
    help: 'Bytes of the values that were stored, before compression.',
  },
  cache_connection_losses_total: {
    kind: 'counter',
    help: 'How often the store, or the bus that carries wake-ups, stopped being usable.',
    choice: { label: 'part', values: ['store', 'bus'] },
  },
  cache_breaker_trips_total: {
    kind: 'counter',
    help: 'How often the breaker of a server opened, by why.',
    choice: { label: 'reason', values: ['errors', 'latency', 'probe'] },
  },
  cache_breakers: {
    kind: 'gauge',
    help: 'Servers whose breaker is not closed.',
    aggregator: 'max',
    choice: { label: 'state', values: ['open', 'half-open'] },
  },
  cache_journal_changes_total: {
    kind: 'counter',
    help: 'Changes of the journal of invalidations that the store has yet to be told.',
    choice: { label: 'change', values: ['deferred', 'doubted', 'overflowed', 'replayed'] },
  },
  cache_journal_length: {
    kind: 'gauge',
    help: 'Invalidations that the store has yet to be told.',
    aggregator: 'sum',
  },
  cache_outage_loads: {
    kind: 'gauge',
    help: 'Loads without the coordination of the store, and those that wait for room.',
    aggregator: 'sum',
    choice: { label: 'state', values: ['running', 'queued'] },
  },
  cache_store_up: {
    kind: 'gauge',
    help: '1 while the store is usable, else 0.',
    aggregator: 'min',
  },
  cache_bus_up: {
    kind: 'gauge',
    help: '1 while the bus that carries wake-ups is usable, else 0.',
    aggregator: 'min',
  },
  cache_pending_calls: {
    kind: 'gauge',
    help: 'Calls that have not been answered yet.',
    aggregator: 'sum',
  },
  cache_held_leases: {
    kind: 'gauge',
    help: 'Leases held for loads that are running.',
    aggregator: 'sum',
  },
  cache_running_refreshes: {
    kind: 'gauge',
    help: 'Background refreshes that are running.',
    aggregator: 'sum',
  },
  cache_local_trusted: {
    kind: 'gauge',
    help: "1 while the values in this process are answered without asking the store, else 0; 0 under local mode 'validate'.",
    aggregator: 'min',
  },
  cache_local_age_seconds: {
    kind: 'gauge',
    help: 'How long ago the pulse was sent that the values in this process are trusted by, so how far behind they may be; 0 while they are not trusted.',
    aggregator: 'max',
  },
  cache_local_entries: {
    kind: 'gauge',
    help: 'Values in this process.',
    aggregator: 'sum',
  },
  cache_local_bytes: {
    kind: 'gauge',
    help: 'What the values in this process take in memory, by estimate.',
    aggregator: 'sum',
  },
}

export const metricNames: readonly MetricName[] = Object.keys(metricDefinitions) as MetricName[]
