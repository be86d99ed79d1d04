import { context, trace, type Tracer } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { AlwaysOffSampler, BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/create-cache.ts'
import { metricNames } from '../../../src/observe/metrics/definitions.ts'
import { meterCache, traceCache } from '../../../src/observe/otel/index.ts'
import { otelName } from '../../../src/observe/otel/meter-cache.ts'
import { openFleet } from '../engine/stage.ts'

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
afterAll(() => context.disable())

interface Shown {
  readonly name: string
  readonly parent: string | undefined
  readonly attributes: Record<string, unknown>
  readonly status: number
}

function recorder(): { readonly tracer: Tracer; readonly spans: () => Shown[] } {
  const exporter = new InMemorySpanExporter()
  const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer('test')
  const spans = (): Shown[] => {
    const finished = exporter.getFinishedSpans()
    const names = new Map(finished.map(span => [span.spanContext().spanId, span.name]))
    return finished.map(({ name, parentSpanContext, attributes, status }) => ({
      name,
      parent: parentSpanContext && names.get(parentSpanContext.spanId),
      attributes,
      status: status.code,
    }))
  }
  return { tracer, spans }
}

/** Runs `work` inside a span of the application. */
async function inRequest(tracer: Tracer, work: () => Promise<unknown>): Promise<void> {
  await tracer.startActiveSpan('request', async span => {
    await work().catch(() => {})
    span.end()
  })
}

describe('traces', () => {
  it('show operations and loads under the caller’s span, and what the loader does under the load', async () => {
    const { tracer, spans } = recorder()
    const cache = createCache({ namespace: 'shop' })
    traceCache(cache, { tracer })
    await inRequest(tracer, async () => {
      await cache.getOrSet('k', async () => tracer.startActiveSpan('query', span => (span.end(), 1)))
      await cache.getOrSet('k', () => 2)
      await cache.get('none')
      await cache.set('k', 3)
      await cache.delete('k')
    })
    await cache.close()
    const common = { 'cache.name': 'shop' }
    expect(spans()).toEqual([
      { name: 'query', parent: 'cache.load', attributes: {}, status: 0 },
      { name: 'cache.load', parent: 'cache.getOrSet', attributes: { ...common, 'cache.background': false }, status: 0 },
      getOrSet({ ...common, 'cache.outcome': 'loaded', 'cache.hit': false }),
      getOrSet({ ...common, 'cache.outcome': 'hit', 'cache.hit': true }),
      {
        name: 'cache.get',
        parent: 'request',
        attributes: { ...common, 'cache.operation': 'get', 'cache.outcome': 'absent', 'cache.hit': false },
        status: 0,
      },
      { name: 'cache.set', parent: 'request', attributes: { ...common, 'cache.operation': 'set' }, status: 0 },
      { name: 'cache.delete', parent: 'request', attributes: { ...common, 'cache.operation': 'delete' }, status: 0 },
      { name: 'request', parent: undefined, attributes: {}, status: 0 },
    ])

    function getOrSet(attributes: Record<string, unknown>): Shown {
      const all = { ...attributes, 'cache.operation': 'getOrSet' }
      return { name: 'cache.getOrSet', parent: 'request', attributes: all, status: 0 }
    }
  })

  it('name the type of an error and repeat nothing of its message', async () => {
    const { tracer, spans } = recorder()
    const cache = createCache({ namespace: 'shop' })
    traceCache(cache, { tracer, keys: true })
    const fail = (): never => {
      throw Object.assign(new Error('postgres://app:hunter2@db'), { code: 'E_DOWN' })
    }
    await inRequest(tracer, () => cache.getOrSet('k', fail))
    await cache.close()
    const [load, call] = spans()
    expect(load).toMatchObject({ name: 'cache.load', status: 2, attributes: { 'cache.key': 'k', 'error.type': 'E_DOWN' } })
    expect(call).toMatchObject({ name: 'cache.getOrSet', status: 2, attributes: { 'cache.key': 'k', 'error.type': 'E_DOWN' } })
    expect(JSON.stringify(spans())).not.toContain('hunter2')
  })

  it('leave an error that cannot be read as it is', async () => {
    const { tracer, spans } = recorder()
    const cache = createCache({ namespace: 'shop' })
    traceCache(cache, { tracer, roots: true })
    const unreadable = Object.defineProperty(new Error('x'), 'code', {
      get: () => {
        throw new Error('no code')
      },
    })
    await expect(cache.getOrSet('k', () => Promise.reject(unreadable))).rejects.toBe(unreadable)
    await cache.close()
    expect(spans()).toMatchObject([
      { name: 'cache.load', status: 2, attributes: { 'error.type': '_OTHER' } },
      { name: 'cache.getOrSet', status: 2, attributes: { 'error.type': '_OTHER' } },
    ])
  })

  it('name the error of a batch in which a key failed, in its call and its load', async () => {
    const { tracer, spans } = recorder()
    const cache = createCache({ namespace: 'shop' })
    traceCache(cache, { tracer })
    const oneFails = (): (number | Error)[] => [1, Object.assign(new Error('no'), { code: 'E_ROW' })]
    await inRequest(tracer, () => cache.getOrSetMany(['a', 'b'], oneFails))
    await inRequest(tracer, () => cache.getOrSetManySettled(['c', 'd'], oneFails))
    await inRequest(tracer, () => cache.getOrSetMany(['e', 'f'], () => 'none' as never))
    await inRequest(tracer, () => cache.getOrSetMany(['g', 'h'], () => [1, 2]))
    await cache.close()
    const shown = spans().map(({ name, status, attributes }) => [
      name,
      status,
      attributes['error.type'],
      attributes['cache.failed_keys'],
    ])
    expect(shown.filter(([name]) => name !== 'request')).toEqual([
      ['cache.load', 2, 'E_ROW', 1],
      ['cache.getOrSetMany', 2, 'BATCH_FAILED', 1],
      ['cache.load', 2, 'E_ROW', 1],
      ['cache.getOrSetMany', 0, undefined, 1],
      ['cache.load', 2, 'INVALID_LOADER', undefined],
      ['cache.getOrSetMany', 2, 'BATCH_FAILED', 2],
      ['cache.load', 0, undefined, undefined],
      ['cache.getOrSetMany', 0, undefined, undefined],
    ])
  })

  it('name no key of what is about none', async () => {
    const { tracer, spans } = recorder()
    const cache = createCache({ namespace: 'shop' })
    traceCache(cache, { tracer, keys: true, roots: true })
    await cache.invalidateTags(['a', 'b'])
    await cache.clear()
    await cache.close()
    expect(spans()).toMatchObject([{ name: 'cache.invalidateTags' }, { name: 'cache.clear' }])
    for (const { attributes } of spans()) expect(attributes).not.toHaveProperty('cache.key')
  })

  it('are left out under no span and under one that is not recorded, unless roots are wanted', async () => {
    const { tracer, spans } = recorder()
    const unrecorded = new BasicTracerProvider({ sampler: new AlwaysOffSampler() }).getTracer('off')
    const cache = createCache({ namespace: 'shop' })
    const stop = traceCache(cache, { tracer })
    await cache.getOrSet('k', () => 1)
    await inRequest(unrecorded, () => cache.getOrSet('k', () => 1))
    expect(spans()).toEqual([])
    stop()
    traceCache(cache, { tracer, roots: true })
    await cache.getOrSet('k', () => 1)
    await cache.close()
    expect(spans()).toMatchObject([{ name: 'cache.getOrSet', parent: undefined }])
  })

  it('show in the waiting call how long it waited', async () => {
    const exporter = new InMemorySpanExporter()
    const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer('test')
    const { a, b, clock, source, until } = openFleet()
    traceCache(b, { tracer })
    void a.getOrSet('k', source.takes(200))
    await clock.advance(50)
    await until(inRequest(tracer, () => b.getOrSet('k', source.takes(200))))
    const call = exporter.getFinishedSpans().find(({ name }) => name === 'cache.getOrSet')
    expect(call?.events).toMatchObject([{ name: 'cache.wait', attributes: { 'cache.waited_ms': 150, 'cache.outcome': 'value' } }])
    expect(trace.getActiveSpan()).toBeUndefined()
  })
})

describe('metrics', () => {
  it('are those of Prometheus, under OpenTelemetry’s spelling', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
    const provider = new MeterProvider({ readers: [reader] })
    const cache = createCache({ namespace: 'shop' })
    const stop = meterCache(cache, { meter: provider.getMeter('test') })
    await cache.getOrSet('k', () => 1)
    await cache.getOrSet('k', () => 1)
    await provider.forceFlush()
    const exported = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(scope => scope.metrics))
    const byName = new Map(exported.map(metric => [metric.descriptor.name, metric]))
    const histograms = ['cache.load', 'cache.operation']
    const silent = ['cache.mutex_contention']
    expect([...byName.keys()].toSorted()).toEqual(
      metricNames
        .map(otelName)
        .filter(name => !silent.includes(name))
        .toSorted(),
    )
    expect(byName.get('cache.hits')?.dataPoints).toMatchObject([{ value: 1, attributes: { cache: 'shop', resource: '' } }])
    for (const name of histograms) expect(byName.get(name)).toMatchObject({ descriptor: { unit: 's' } })
    expect(byName.get('cache.load')?.dataPoints).toMatchObject([{ value: { count: 1 } }])
    expect(byName.get('cache.written')).toMatchObject({ descriptor: { unit: 'By' } })
    stop()
    await cache.close()
    await provider.shutdown()
  })

  it('of two caches of one name are refused in one meter, until the first is stopped or closed', async () => {
    const meter = new MeterProvider().getMeter('test')
    const first = createCache({ namespace: 'shop' })
    const stop = meterCache(first, { meter })
    expect(() => meterCache(first, { meter })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', option: 'name' }))
    meterCache(first, { meter, name: 'other' })
    meterCache(first, { meter: new MeterProvider().getMeter('test') })
    stop()
    meterCache(first, { meter })
    await first.close()
    const second = createCache({ namespace: 'shop' })
    meterCache(second, { meter })
    stop()
    expect(() => meterCache(second, { meter })).toThrow('already')
    await second.close()
  })

  it('of a closed cache are reported no more', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
    const provider = new MeterProvider({ readers: [reader] })
    const cache = createCache({ namespace: 'shop' })
    meterCache(cache, { meter: provider.getMeter('test') })
    await cache.close()
    await provider.forceFlush()
    const exported = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(scope => scope.metrics))
    expect(exported.flatMap(({ dataPoints }) => dataPoints as unknown[])).toEqual([])
    await provider.shutdown()
  })
})
