import type { Registry } from 'prom-client'
import { systemClock } from '../../core/clock.ts'
import { describeValue } from '../../core/describe-value.ts'
import { LeaseholdError } from '../../core/errors.ts'
import { checkMethods, checkOptions, textOr } from '../check-arguments.ts'
import type { AggregatedMetric } from '../metrics/definitions.ts'
import type { Series } from '../metrics/metric-table.ts'
import { addToRegistry, RegisteredMetric, registryOr } from './registered-metric.ts'

/** A client of Redis, as far as this asks of it: ioredis is one. */
export interface InfoClient {
  info(): Promise<string>
}

export interface RedisMetricsOptions {
  /** Where the metrics go. Default: prom-client's global registry. */
  readonly registry?: Registry
  /** The label `server`, for when there are several. Default `'redis'`. */
  readonly server?: string
}

interface RedisMetric extends AggregatedMetric {
  /** From the fields of INFO; undefined when the server does not tell. */
  readonly value: (info: ReadonlyMap<string, string>) => number | undefined
}

const answerWithinMs = 1000
const optionNames: ReadonlySet<string> = new Set<keyof RedisMetricsOptions>(['registry', 'server'])

export type RedisMetricName =
  | 'redis_up'
  | 'redis_used_memory_bytes'
  | 'redis_used_memory_peak_bytes'
  | 'redis_maxmemory_bytes'
  | 'redis_mem_fragmentation_ratio'
  | 'redis_evicted_keys_total'
  | 'redis_expired_keys_total'
  | 'redis_connected_clients'
  | 'redis_maxclients'
  | 'redis_keyspace_hits_total'
  | 'redis_keyspace_misses_total'
  | 'redis_keyspace_hit_ratio'

/** Facts of the server's own `INFO`. All workers ask the same server, so nothing here adds up. */
export const redisMetrics: Readonly<Record<RedisMetricName, RedisMetric>> = {
  redis_up: {
    kind: 'gauge',
    aggregator: 'min',
    help: '1 if the server answered INFO in time, else 0.',
    value: info => (info.size > 0 ? 1 : 0),
  },
  redis_used_memory_bytes: {
    kind: 'gauge',
    aggregator: 'max',
    help: 'Memory that Redis has allocated.',
    value: field('used_memory'),
  },
  redis_used_memory_peak_bytes: {
    kind: 'gauge',
    aggregator: 'max',
    help: 'The most it has ever allocated.',
    value: field('used_memory_peak'),
  },
  redis_maxmemory_bytes: { kind: 'gauge', aggregator: 'max', help: 'The limit; 0 for none.', value: field('maxmemory') },
  redis_mem_fragmentation_ratio: {
    kind: 'gauge',
    aggregator: 'max',
    help: 'Memory of the process to memory allocated.',
    value: field('mem_fragmentation_ratio'),
  },
  redis_evicted_keys_total: {
    kind: 'counter',
    aggregator: 'max',
    help: 'Keys evicted to stay below maxmemory.',
    value: field('evicted_keys'),
  },
  redis_expired_keys_total: {
    kind: 'counter',
    aggregator: 'max',
    help: 'Keys that came to the end of their ttl.',
    value: field('expired_keys'),
  },
  redis_connected_clients: { kind: 'gauge', aggregator: 'max', help: 'Client connections.', value: field('connected_clients') },
  redis_maxclients: { kind: 'gauge', aggregator: 'max', help: 'How many there may be.', value: field('maxclients') },
  redis_keyspace_hits_total: {
    kind: 'counter',
    aggregator: 'max',
    help: 'Keys that were looked up and found.',
    value: field('keyspace_hits'),
  },
  redis_keyspace_misses_total: {
    kind: 'counter',
    aggregator: 'max',
    help: 'Keys that were looked up and not found.',
    value: field('keyspace_misses'),
  },
  redis_keyspace_hit_ratio: {
    kind: 'gauge',
    aggregator: 'average',
    help: 'Keys found to keys looked up since the server started; 1 before the first.',
    value: info => {
      const hits = field('keyspace_hits')(info)
      const misses = field('keyspace_misses')(info)
      if (hits === undefined || misses === undefined) return undefined
      return hits + misses === 0 ? 1 : hits / (hits + misses)
    },
  },
}

type Source = () => Promise<ReadonlyMap<string, string>>

/** The servers of a registry, by the label `server`. */
const sourcesOf: WeakMap<Registry, Map<string, Source>> = new WeakMap()

/**
 * Adds facts of a Redis server's own `INFO` to the metrics, asked for once per scrape. A server that does not answer within a second shows as
 * `redis_up 0` and nothing else.
 *
 * @returns Takes the server's series away.
 * @throws LeaseholdError `INVALID_OPTION`, also if another server of that name is in the registry; `UNKNOWN_OPTION`
 */
export function collectRedisMetrics(client: InfoClient, options: RedisMetricsOptions = {}): () => void {
  checkMethods('client', client, 'a client of Redis with the method info', 'info')
  checkOptions(options, optionNames)
  const server = textOr('server', options.server, 'redis')
  const sources = sourcesIn(registryOr(options.registry))
  if (sources.has(server)) {
    const message = `metrics of a server named ${describeValue(server)} are collected already; give this one another name`
    throw new LeaseholdError('INVALID_OPTION', message, { option: 'server' })
  }
  const source = sharedInfo(client)
  sources.set(server, source)
  return () => {
    if (sources.get(server) === source) sources.delete(server)
  }
}

function sourcesIn(registry: Registry): Map<string, Source> {
  const known = sourcesOf.get(registry)
  if (known !== undefined && registry.getSingleMetric('redis_up') !== undefined) return known
  const sources = known ?? new Map<string, Source>()
  for (const [name, metric] of Object.entries(redisMetrics)) {
    addToRegistry(registry, new RegisteredMetric(name, metric, () => seriesOf(sources, metric)))
  }
  sourcesOf.set(registry, sources)
  return sources
}

async function seriesOf(sources: ReadonlyMap<string, Source>, { value }: RedisMetric): Promise<Series[]> {
  const found = await Promise.all(
    [...sources].map(async ([server, source]) => ({ labels: labelsOf(server), value: value(await source()) })),
  )
  return found.flatMap(each =>
    each.value === undefined ? [] : [{ labels: each.labels, value: each.value, distribution: undefined }],
  )
}

const labels: Map<string, Series['labels']> = new Map()

/** The same object each time, so that prom-client formats it once. */
function labelsOf(server: string): Series['labels'] {
  const known = labels.get(server) ?? { server }
  labels.set(server, known)
  return known
}

/** One INFO serves all metrics of a scrape. Empty when none came in time. */
function sharedInfo(client: InfoClient): Source {
  let asked: Promise<ReadonlyMap<string, string>> | undefined
  return () => {
    asked ??= inTime(client).finally(() => (asked = undefined))
    return asked
  }
}

async function inTime(client: InfoClient): Promise<ReadonlyMap<string, string>> {
  let stop: () => void = () => {}
  const late = new Promise<string>(resolve => {
    const timer = systemClock.setTimeout(() => resolve(''), answerWithinMs)
    stop = () => systemClock.clearTimeout(timer)
  })
  try {
    return parseInfo(await Promise.race([client.info(), late]))
  } catch {
    return new Map()
  } finally {
    stop()
  }
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').map(line => line.trim())
  return new Map(lines.filter(line => line.includes(':') && !line.startsWith('#')).map(line => splitAt(line, line.indexOf(':'))))
}

function splitAt(line: string, at: number): [string, string] {
  return [line.slice(0, at), line.slice(at + 1)]
}

function field(name: string): RedisMetric['value'] {
  return info => {
    const value = Number(info.get(name) ?? Number.NaN)
    return Number.isNaN(value) ? undefined : value
  }
}
