import {
  failedRefreshes,
  gauge,
  hitRatio,
  increase,
  observations,
  ownOperations,
  quantile,
  rate,
  savedLoads,
  type Scope,
  sumBy,
} from './queries.ts'

export type Unit = 'percentunit' | 'ops' | 's' | 'bytes' | 'Bps' | 'short' | 'none'

export interface Query {
  readonly expr: string
  readonly legend: string
}

export interface Panel {
  readonly title: string
  readonly description: string
  readonly kind: 'timeseries' | 'stat'
  readonly unit: Unit
  /** Of 24. */
  readonly width: number
  readonly queries: readonly Query[]
  /** From these values on, in these colours. */
  readonly thresholds?: readonly (readonly [from: number | null, color: 'green' | 'yellow' | 'orange' | 'red'])[]
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

const now: Scope = { cache: 'cache=~"$cache"', redis: 'server=~"$server"', range: '$__rate_interval' }
const caches = ['cache']

function lines(title: string, description: string, unit: Unit, ...queries: readonly Query[]): Panel {
  return { title, description, kind: 'timeseries', unit, width: 8, queries }
}

function stat(title: string, description: string, unit: Unit, expr: string, thresholds: NonNullable<Panel['thresholds']>): Panel {
  return { title, description, kind: 'stat', unit, width: 4, queries: [{ expr, legend: '' }], thresholds }
}

const highIsGood = [
  [null, 'red'],
  [0.7, 'orange'],
  [0.85, 'yellow'],
  [0.92, 'green'],
] as const
const anyIsBad = [
  [null, 'green'],
  [1, 'red'],
] as const

export const rows: readonly Row[] = [
  {
    title: 'At a glance',
    panels: [
      stat('Hit ratio', 'Calls answered fresh from the store.', 'percentunit', hitRatio([], now), highIsGood),
      stat('Loads saved', 'Calls per second that would each have been a load.', 'ops', savedLoads([], now), [[null, 'green']]),
      stat('Loads', 'Loaders run per second.', 'ops', sumBy([], rate('cache_loads_total', now)), [[null, 'green']]),
      stat(
        'Breakers not closed',
        'Servers that reads are kept away from.',
        'none',
        sumBy([], gauge('cache_breakers', now)),
        anyIsBad,
      ),
      stat(
        'Processes without store',
        'Caches that cannot reach their store.',
        'none',
        `count(${gauge('cache_store_up', now)}) - ${sumBy([], gauge('cache_store_up', now))}`,
        anyIsBad,
      ),
      stat(
        'Unreadable or unwritable',
        'Serialization errors within the last hour. Should be 0.',
        'none',
        sumBy([], increase('cache_serialization_errors_total', { ...now, range: '1h' })),
        anyIsBad,
      ),
    ],
  },
  {
    title: 'Calls',
    panels: [
      lines('Hit ratio by cache', 'Targets: 92 and 85 %; below 70 % someone should look.', 'percentunit', {
        expr: hitRatio(caches, now),
        legend: '{{cache}}',
      }),
      lines(
        'Calls by answer',
        'Hits, stale answers, and misses by what became of them.',
        'ops',
        { expr: sumBy([], rate('cache_hits_total', now)), legend: 'hit' },
        { expr: sumBy(['reason'], rate('cache_stale_total', now)), legend: 'stale: {{reason}}' },
        { expr: sumBy(['outcome'], rate('cache_misses_total', now)), legend: 'miss: {{outcome}}' },
      ),
      lines(
        'Operation latency',
        'Of hits, lookups, sets and invalidations, which wait for no load.',
        's',
        { expr: quantile(0.5, 'cache_operation_seconds', caches, now, ownOperations), legend: '{{cache}} p50' },
        { expr: quantile(0.99, 'cache_operation_seconds', caches, now, ownOperations), legend: '{{cache}} p99' },
      ),
      lines('Hit ratio by resource', 'A resource of its own stands out here.', 'percentunit', {
        expr: hitRatio(['cache', 'resource'], now),
        legend: '{{cache}} {{resource}}',
      }),
      lines(
        'Stores and invalidations',
        'set, delete and expire.',
        'ops',
        { expr: sumBy(['outcome'], rate('cache_sets_total', now)), legend: 'set: {{outcome}}' },
        { expr: sumBy(['operation'], rate('cache_invalidations_total', now)), legend: '{{operation}}' },
      ),
      lines('Calls under way', 'Not answered yet.', 'none', {
        expr: sumBy(caches, gauge('cache_pending_calls', now)),
        legend: '{{cache}}',
      }),
    ],
  },
  {
    title: 'Loads and contention',
    panels: [
      lines(
        'Loads saved and run',
        'What the source was spared.',
        'ops',
        { expr: savedLoads([], now), legend: 'saved' },
        { expr: sumBy(['outcome'], rate('cache_loads_total', now)), legend: 'run: {{outcome}}' },
      ),
      lines(
        'Load duration',
        'Of the loaders.',
        's',
        { expr: quantile(0.5, 'cache_load_seconds', caches, now), legend: '{{cache}} p50' },
        { expr: quantile(0.95, 'cache_load_seconds', caches, now), legend: '{{cache}} p95' },
      ),
      lines(
        'Wait for leases',
        'How long loads waited for another process.',
        's',
        { expr: quantile(0.5, 'cache_mutex_contention_seconds', caches, now), legend: '{{cache}} p50' },
        { expr: quantile(0.95, 'cache_mutex_contention_seconds', caches, now), legend: '{{cache}} p95' },
      ),
      lines('Waits', 'Loads that had to wait.', 'ops', {
        expr: observations('cache_mutex_contention_seconds', caches, now),
        legend: '{{cache}}',
      }),
      lines(
        'Leases',
        'Lost ones were revoked, evicted or ran out.',
        'ops',
        { expr: sumBy([], rate('cache_leases_lost_total', now)), legend: 'lost' },
        { expr: sumBy(['outcome'], rate('cache_lease_renewals_total', now)), legend: 'renewal: {{outcome}}' },
      ),
      lines('Commits', 'What became of loaded values.', 'ops', {
        expr: sumBy(['outcome'], rate('cache_commits_total', now)),
        legend: '{{outcome}}',
      }),
      lines('Leases held', 'Loads that are running under a lease.', 'none', {
        expr: sumBy(caches, gauge('cache_held_leases', now)),
        legend: '{{cache}}',
      }),
    ],
  },
  {
    title: 'Refresh',
    panels: [
      lines('Background refreshes', 'By how they ended.', 'ops', {
        expr: sumBy(['outcome'], rate('cache_background_refreshes_total', now)),
        legend: '{{outcome}}',
      }),
      lines('Refreshes that fail', 'Of those that loaded. Over 5 % someone should look.', 'percentunit', {
        expr: failedRefreshes(caches, now),
        legend: '{{cache}}',
      }),
      lines('Refreshes running', 'At most maxRefreshes per process.', 'none', {
        expr: sumBy(caches, gauge('cache_running_refreshes', now)),
        legend: '{{cache}}',
      }),
    ],
  },
  {
    title: 'Local tier',
    panels: [
      lines('Hits from memory', 'Those of the hits that no server was asked for.', 'ops', {
        expr: sumBy(caches, rate('cache_local_hits_total', now)),
        legend: '{{cache}}',
      }),
      lines(
        'Copies',
        'In all processes together.',
        'none',
        { expr: sumBy(caches, gauge('cache_local_entries', now)), legend: '{{cache}}' },
        { expr: sumBy(caches, gauge('cache_local_trusted', now)), legend: '{{cache}}: processes that trust theirs' },
      ),
      lines('Age', 'How far behind the copies of any process may be: since the last pulse that was heard.', 's', {
        expr: `max by (cache) (${gauge('cache_local_age_seconds', now)})`,
        legend: '{{cache}}',
      }),
      lines('Memory of copies', 'By estimate, in all processes together.', 'bytes', {
        expr: sumBy(caches, gauge('cache_local_bytes', now)),
        legend: '{{cache}}',
      }),
    ],
  },
  {
    title: 'Trouble',
    panels: [
      lines('Store errors', 'Commands that failed.', 'ops', {
        expr: sumBy(['code'], rate('cache_errors_total', now)),
        legend: '{{code}}',
      }),
      lines('Serialization errors', 'Should be zero.', 'ops', {
        expr: sumBy(['reason'], rate('cache_serialization_errors_total', now)),
        legend: '{{reason}}',
      }),
      lines(
        'Breakers',
        'Servers whose breaker is not closed, and how often one opened.',
        'none',
        { expr: sumBy(['state'], gauge('cache_breakers', now)), legend: '{{state}}' },
        { expr: sumBy(['reason'], increase('cache_breaker_trips_total', now)), legend: 'opened: {{reason}}' },
      ),
      lines(
        'Journal',
        'Invalidations that the store has yet to be told, and what became of them.',
        'none',
        { expr: sumBy(caches, gauge('cache_journal_length', now)), legend: '{{cache}} waiting' },
        { expr: sumBy(['change'], increase('cache_journal_changes_total', now)), legend: '{{change}}' },
      ),
      lines('Loads without the store', 'In an outage: they are bounded, the others queue.', 'none', {
        expr: sumBy(['state'], gauge('cache_outage_loads', now)),
        legend: '{{state}}',
      }),
      lines(
        'Connections',
        'The lowest of all processes; and losses.',
        'none',
        { expr: `min by (cache) (${gauge('cache_store_up', now)})`, legend: '{{cache}} store' },
        { expr: `min by (cache) (${gauge('cache_bus_up', now)})`, legend: '{{cache}} bus' },
        { expr: sumBy(['part'], increase('cache_connection_losses_total', now)), legend: 'lost: {{part}}' },
      ),
    ],
  },
  {
    title: 'Bytes',
    panels: [
      lines(
        'Read and written',
        'Entries, headers included.',
        'Bps',
        { expr: sumBy([], rate('cache_read_bytes_total', now)), legend: 'read' },
        { expr: sumBy([], rate('cache_written_bytes_total', now)), legend: 'written' },
      ),
      lines('Compression ratio', 'Bytes before compression to bytes stored.', 'short', {
        expr: `${sumBy(caches, rate('cache_serialized_bytes_total', now))} / ${sumBy(caches, rate('cache_written_bytes_total', now))}`,
        legend: '{{cache}}',
      }),
    ],
  },
  {
    title: 'Redis',
    panels: [
      lines(
        'Memory',
        'maxmemory 0 is no limit.',
        'bytes',
        { expr: gauge('redis_used_memory_bytes', now), legend: '{{server}} used' },
        { expr: gauge('redis_used_memory_peak_bytes', now), legend: '{{server}} peak' },
        { expr: gauge('redis_maxmemory_bytes', now), legend: '{{server}} maxmemory' },
      ),
      lines('Fragmentation', 'Over 1.5 memory is wasted.', 'short', {
        expr: gauge('redis_mem_fragmentation_ratio', now),
        legend: '{{server}}',
      }),
      lines(
        'Clients',
        'Connections, and how many there may be.',
        'none',
        { expr: gauge('redis_connected_clients', now), legend: '{{server}} connected' },
        { expr: gauge('redis_maxclients', now), legend: '{{server}} maxclients' },
      ),
      lines(
        'Keys going',
        'Evicted for want of memory, and expired.',
        'ops',
        { expr: rate('redis_evicted_keys_total', now), legend: '{{server}} evicted' },
        { expr: rate('redis_expired_keys_total', now), legend: '{{server}} expired' },
      ),
      lines(
        'Hit ratio of the server',
        'All keys of all its users: leases are looked up too.',
        'percentunit',
        { expr: gauge('redis_keyspace_hit_ratio', now), legend: '{{server}} since its start' },
        {
          expr: `${rate('redis_keyspace_hits_total', now)} / (${rate('redis_keyspace_hits_total', now)} + ${rate('redis_keyspace_misses_total', now)})`,
          legend: '{{server}} now',
        },
      ),
      lines('Up', 'Whether it answered INFO.', 'none', { expr: gauge('redis_up', now), legend: '{{server}}' }),
    ],
  },
]
