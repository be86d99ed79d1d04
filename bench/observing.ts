import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { AlwaysOffSampler, BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { createCache, type Cache } from '../src/index.ts'
import { logCache } from '../src/observe/log/index.ts'
import { meterCache, traceCache } from '../src/observe/otel/index.ts'
import { collectCacheMetrics } from '../src/observe/prometheus/index.ts'
import { redisStore } from '../src/redis/index.ts'

/** What is attached to a cache while its hits are measured. */
interface Attachment {
  readonly name: string
  readonly attach: (cache: Cache) => void
  /** Whether the calls run under a span that is recorded. */
  readonly recorded?: true
}

export interface Cost {
  readonly store: 'embedded' | 'Redis'
  readonly name: string
  readonly values: 'copy' | 'freeze'
  /** CPU time of the process per call, in ns: the lower quartile of the rounds, which a busy machine disturbs least. */
  readonly cpuNs: number
}

const keyCount = 256
const callsPerRound = 20_000
const inFlight = 64

const unsampled = new BasicTracerProvider({ sampler: new AlwaysOffSampler() }).getTracer('bench')
const recordedSpans = new InMemorySpanExporter()
const sampled = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(recordedSpans)] }).getTracer('bench')

const metrics = (cache: Cache): void => void collectCacheMetrics(cache, { registry: new Registry() })
const traces = (cache: Cache): void => void traceCache(cache, { tracer: unsampled })
const otelMetrics = (cache: Cache): void => void meterCache(cache, { meter: new MeterProvider().getMeter('bench') })
const log = (cache: Cache): void => void logCache(cache, pino({ level: 'info' }, { write: () => {} }))

const attachments: readonly Attachment[] = [
  // In this order, so that what comes before "nothing" leaves it no garbage to collect.
  { name: 'a recorded span for each call', attach: cache => void traceCache(cache, { tracer: sampled }), recorded: true },
  { name: 'a listener of hit', attach: cache => void cache.on('hit', () => {}) },
  { name: 'nothing', attach: () => {} },
  { name: 'Prometheus', attach: metrics },
  { name: 'log', attach: log },
  { name: 'OpenTelemetry: metrics, traces not sampled', attach: cache => (traces(cache), otelMetrics(cache)) },
  { name: 'all of these', attach: cache => (metrics(cache), log(cache), traces(cache), otelMetrics(cache)) },
  { name: 'nothing, again', attach: () => {} },
]

/** What observing costs a hit, of Redis and of the embedded store, whose hits cost little themselves: everything attached in turn, in interleaved rounds. */
export async function benchObserving(redisUrl: string, rounds: number): Promise<Cost[]> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const costs: Cost[] = []
  for (const store of ['embedded', 'Redis'] as const) {
    for (const values of ['copy', 'freeze'] as const) costs.push(...(await compare(store, redisUrl, values, rounds)))
  }
  context.disable()
  return costs
}

async function compare(store: Cost['store'], redisUrl: string, values: Cost['values'], rounds: number): Promise<Cost[]> {
  const caches = attachments.map(({ attach }) => {
    const common = { namespace: `bench-${process.pid}`, ttl: '1h', refresh: false, values } as const
    // Long timeouts: on a busy machine a read that is given up would be a load, and no hit.
    const patience = { commandTimeout: '10s', storeBudget: '20s' } as const
    const cache = createCache(store === 'embedded' ? common : { ...common, ...patience, store: redisStore(redisUrl) })
    attach(cache)
    return cache
  })
  for (const cache of caches)
    for (let key = 0; key < keyCount; key++) await cache.set(`key:${key}`, { id: key, name: 'Ada Lovelace', roles: ['admin'] })
  const taken = caches.map((): number[] => [])
  for (let round = -3; round < rounds; round++) {
    for (const place of caches.keys()) {
      // Begins with another one each time, so that nobody always comes after the same.
      const which = (place + round + 3) % caches.length
      const cpuNs = await cpuPerCall(caches[which] as Cache, attachments[which]?.recorded === true)
      if (round >= 0) taken[which]?.push(cpuNs)
    }
  }
  await Promise.all(caches.map(cache => cache.close()))
  return attachments.map(({ name }, which) => ({ store, name, values, cpuNs: lowerQuartile(taken[which] ?? []) }))
}

async function cpuPerCall(cache: Cache, recorded: boolean): Promise<number> {
  const load = (): never => {
    throw new Error('every read is a hit')
  }
  if (recorded) recordedSpans.reset()
  const before = process.cpuUsage()
  const span = (recorded ? sampled : unsampled).startSpan('request')
  await context.with(trace.setSpan(context.active(), span), async () => {
    await Promise.all(
      Array.from({ length: inFlight }, async (_, caller) => {
        for (let call = caller; call < callsPerRound; call += inFlight) await cache.getOrSet(`key:${call % keyCount}`, load)
      }),
    )
  })
  const { user, system } = process.cpuUsage(before)
  return ((user + system) / callsPerRound) * 1000
}

function lowerQuartile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 2] ?? Number.NaN
}
