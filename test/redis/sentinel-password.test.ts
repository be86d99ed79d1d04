import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCache } from '../../src/index.ts'
import { logCache } from '../../src/observe/log/index.ts'
import { traceCache } from '../../src/observe/otel/index.ts'
import { collectCacheMetrics } from '../../src/observe/prometheus/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { ownNamespace } from '../shared-redis.ts'

const sentinel = 'sentinel-5f3a9c'
const channels = ['load', 'miss', 'store-error', 'connection', 'encode-error'] as const

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis({ args: ['--requirepass', sentinel] })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
})
afterAll(async () => {
  context.disable()
  await redis.stop()
})

/** Everything that a process says of itself while `work` runs with everything attached. */
async function everythingSaid(
  url: string,
  work: (cache: ReturnType<typeof createCache>, say: (thing: unknown) => void) => Promise<void>,
): Promise<string> {
  const said: string[] = []
  const say = (thing: unknown): void => void said.push(inspect(thing, { depth: 20, showHidden: true, maxStringLength: null }))
  const onWarning = (warning: Error): void => say(warning)
  process.on('warning', onWarning)
  for (const name of channels) subscribe(`leasehold:${name}`, say)
  const cache = createCache({ namespace: ownNamespace(), store: redisStore(url) })
  const registry = new Registry()
  const exporter = new InMemorySpanExporter()
  const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer('test')
  collectCacheMetrics(cache, { registry })
  traceCache(cache, { tracer, keys: true, roots: true })
  logCache(cache, pino({ level: 'trace' }, { write: line => void said.push(line) }), { calls: true })
  for (const event of channels) cache.on(event, say)
  await work(cache, say)
  said.push(await registry.metrics())
  say(exporter.getFinishedSpans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status })))
  await cache.close()
  for (const name of channels) unsubscribe(`leasehold:${name}`, say)
  process.off('warning', onWarning)
  return said.join('\n')
}

describe('the password of Redis', () => {
  it('appears nowhere while all is well', async () => {
    const said = await everythingSaid(`redis://:${sentinel}@127.0.0.1:${redis.port}`, async cache => {
      await cache.getOrSet('k', () => 1)
      await cache.getOrSet('k', () => 1)
    })
    expect(said).toContain('cache_hits_total')
    expect(said).toContain('cache hit')
    expect(said).not.toContain(sentinel)
  })

  it('appears nowhere when it is refused, or the server is not there', async () => {
    for (const url of [`redis://:${sentinel}x@127.0.0.1:${redis.port}`, `redis://:${sentinel}@127.0.0.1:1`]) {
      const said = await everythingSaid(url, async (cache, say) => {
        await cache.getOrSet('k', () => 1)
        await cache.set('k', 1).catch((error: unknown) => say(error))
      })
      expect(said).toContain('store-error')
      expect(said).not.toContain(sentinel)
    }
  })

  it('would be found: a record that holds it is noticed', async () => {
    const said = await everythingSaid(redis.url, async cache => {
      const fail = (): never => {
        throw new Error(sentinel)
      }
      await cache.getOrSet('k', fail).catch(() => {})
    })
    expect(said).toContain(sentinel)
  })
})

describe('a password in the error of a loader', () => {
  it('is in the events, which hand the error on, but in no log line, span or metric', async () => {
    const lines: string[] = []
    const exporter = new InMemorySpanExporter()
    const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer('test')
    const cache = createCache({ namespace: 'shop' })
    traceCache(cache, { tracer, roots: true })
    logCache(cache, pino({ level: 'trace' }, { write: line => void lines.push(line) }), { calls: true })
    const fail = (): never => {
      throw new Error(`connect failed: postgres://app:${sentinel}@db/shop`)
    }
    await expect(cache.getOrSet('k', fail)).rejects.toThrow(sentinel)
    await cache.close()
    expect(lines.join('')).toContain('postgres://***@db/shop')
    expect(lines.join('')).not.toContain(sentinel)
    expect(inspect(exporter.getFinishedSpans(), { depth: 20 })).not.toContain(sentinel)
  })
})
