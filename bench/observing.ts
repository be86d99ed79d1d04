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
import { median } from './measurement.ts'

/** What is attached to a cache while its hits are measured. */
interface Attachment {
  readonly name: string
  readonly attach: (cache: Cache) => void
  /** Whether the calls run under a span that is recorded. */
  readonly recorded?: true
}

export interface Cost {
  readonly name: string
  readonly values: 'copy' | 'freeze'
  /** CPU time of the process per call, in µs. */
  readonly cpuUs: number
  /** Median over the rounds of its CPU time to that of the same round with nothing attached. */
  readonly ratio: number
}

const keyCount = 256
const inFlight = 64
const callsPerRound = 40_000

const unsampled = new BasicTracerProvider({ sampler: new AlwaysOffSampler() }).getTracer('bench')
const sampled = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new InMemorySpanExporter())] }).getTracer(
  'bench',
)

const metrics = (cache: Cache): void => void collectCacheMetrics(cache, { registry: new Registry() })
const traces = (cache: Cache): void => void traceCache(cache, { tracer: unsampled })
const otelMetrics = (cache: Cache): void => void meterCache(cache, { meter: new MeterProvider().getMeter('bench') })
const log = (cache: Cache): void => void logCache(cache, pino({ level: 'info' }, { write: () => {} }))

const attachments: readonly Attachment[] = [
  { name: 'nothing', attach: () => {} },
  { name: 'nothing, again', attach: () => {} },
  { name: 'Prometheus', attach: metrics },
  { name: 'log', attach: log },
  { name: 'OpenTelemetry: metrics, traces not sampled', attach: cache => (traces(cache), otelMetrics(cache)) },
  { name: 'all of these', attach: cache => (metrics(cache), log(cache), traces(cache), otelMetrics(cache)) },
  { name: 'a listener of hit', attach: cache => void cache.on('hit', () => {}) },
  { name: 'a recorded span for each call', attach: cache => void traceCache(cache, { tracer: sampled }), recorded: true },
]

/** What observing costs a hit against Redis: everything attached in turn, in interleaved rounds. */
export async function benchObserving(redisUrl: string, rounds: number): Promise<Cost[]> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const costs: Cost[] = []
  for (const values of ['copy', 'freeze'] as const) costs.push(...(await compare(redisUrl, values, rounds)))
  context.disable()
  return costs
}

async function compare(redisUrl: string, values: 'copy' | 'freeze', rounds: number): Promise<Cost[]> {
  const patience = { commandTimeout: '10s', storeBudget: '20s' } as const
  const store = redisStore(redisUrl)
  const options = { namespace: `bench-${process.pid}`, store, ttl: '1h', refresh: false, values, ...patience } as const
  const caches = attachments.map(({ attach }) => {
    const cache = createCache(options)
    attach(cache)
    return cache
  })
  for (let key = 0; key < keyCount; key++) await caches[0]?.set(`key:${key}`, { id: key, name: 'Ada Lovelace', roles: ['admin'] })
  const taken = caches.map((): number[] => [])
  for (let round = -3; round < rounds; round++) {
    for (const place of caches.keys()) {
      // Begins with another one each time, so that nobody always comes after the same.
      const which = (place + round + 3) % caches.length
      const cpuUs = await cpuPerCall(caches[which] as Cache, attachments[which]?.recorded === true)
      if (round >= 0) taken[which]?.push(cpuUs)
    }
  }
  await Promise.all(caches.map(cache => cache.close()))
  return attachments.map(({ name }, which) => {
    const own = taken[which] ?? []
    const ratios = own.map((cpuUs, round) => cpuUs / (taken[0]?.[round] ?? Number.NaN))
    return { name, values, cpuUs: median(own), ratio: median(ratios) }
  })
}

async function cpuPerCall(cache: Cache, recorded: boolean): Promise<number> {
  const load = (): never => {
    throw new Error('every read is a hit')
  }
  const before = process.cpuUsage()
  const span = (recorded ? sampled : unsampled).startSpan('request')
  await context.with(trace.setSpan(context.active(), span), () =>
    Promise.all(
      Array.from({ length: inFlight }, async (_, caller) => {
        for (let call = caller; call < callsPerRound; call += inFlight) await cache.getOrSet(`key:${call % keyCount}`, load)
      }),
    ),
  )
  const { user, system } = process.cpuUsage(before)
  return (user + system) / callsPerRound
}
