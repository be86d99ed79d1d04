import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/create-cache.ts'
import { metricDefinitions, metricNames } from '../../../src/observe/metrics/definitions.ts'
import { collectCacheMetrics, metricsHandler, startMetricsServer } from '../../../src/observe/prometheus/index.ts'
import { refused } from '../../../src/testing/chaos-store.ts'
import { openFleet } from '../engine/stage.ts'

/** The samples of an exposition, by name and labels. */
async function scrape(registry: Registry): Promise<ReadonlyMap<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter(line => line !== '' && !line.startsWith('#'))
  const samples = lines.map((line): [string, number] => {
    const at = line.lastIndexOf(' ')
    return [line.slice(0, at), Number(line.slice(at + 1))]
  })
  expect(new Set(samples.map(([name]) => name)).size, 'no series twice').toBe(samples.length)
  return new Map(samples)
}

function nonZero(samples: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...samples].filter(([name, value]) => value !== 0 && !name.includes('_bucket')))
}

describe('the metrics of a cache', () => {
  it('have the names that people chart', () => {
    const fixed = [
      'cache_hits_total',
      'cache_misses_total',
      'cache_errors_total',
      'cache_mutex_contention_seconds',
      'cache_serialization_errors_total',
      'cache_background_refreshes_total',
    ]
    expect(metricNames).toEqual(expect.arrayContaining(fixed))
    expect(metricDefinitions.cache_mutex_contention_seconds.kind).toBe('histogram')
  })

  it('all exist at 0 from the start, one series for each choice', async () => {
    const { a } = openFleet()
    const registry = new Registry()
    collectCacheMetrics(a, { registry })
    const samples = await scrape(registry)
    for (const name of metricNames) {
      const { kind, choice } = metricDefinitions[name]
      const own = [...samples].filter(([sample]) => sample.startsWith(kind === 'histogram' ? `${name}_count` : `${name}{`))
      expect(own.length, name).toBe(choice?.values.length ?? 1)
      for (const value of choice?.values ?? [])
        expect(
          own.some(([sample]) => sample.includes(`${choice?.label}="${value}"`)),
          `${name} ${value}`,
        ).toBe(true)
    }
    expect([...samples].filter(([name, value]) => value !== 0 && !/^cache_(store|bus)_up/.test(name))).toEqual([])
  })

  it('tell how the copies in this process fare', async () => {
    const { a, clock, until } = openFleet({ local: { mode: 'trust' } })
    await clock.advance(1)
    const registry = new Registry()
    collectCacheMetrics(a, { registry })
    await until(a.set('k', 'value'))
    for (let turn = 0; turn < 3; turn++) await a.getOrSet('k', () => expect.unreachable())
    const samples = nonZero(await scrape(registry))
    expect(samples).toMatchObject({
      'cache_hits_total{cache="test",resource=""}': 3,
      'cache_local_hits_total{cache="test"}': 2,
      'cache_local_trusted{cache="test"}': 1,
      'cache_local_entries{cache="test"}': 1,
    })
    expect(samples['cache_local_bytes{cache="test"}']).toBeGreaterThan(5)
    await clock.advance(1_500)
    const age = (await scrape(registry)).get('cache_local_age_seconds{cache="test"}')
    expect(age).toBeGreaterThan(0)
    expect(age).toBeLessThan(3)
    await clock.advance(10_000)
    await a.close()
    expect(a.status().local).toEqual({ trusted: false, entries: 0, bytes: 0 })
  })

  it('count what happens', async () => {
    const { a, clock, source, until } = openFleet({ codec: 'json', ttl: '10s', staleWhileRevalidate: '1m', lease: '300ms' })
    await clock.advance(1)
    const registry = new Registry()
    collectCacheMetrics(a, { registry })
    await until(a.getOrSet('k', source.takes(200)))
    for (let turn = 0; turn < 40; turn++) await a.getOrSet('k', source.takes(200))
    await until(a.get('k'))
    await until(a.get('none'))
    await clock.advance(11_000)
    await until(a.getOrSet('k', source.takes(50)))
    await clock.advance(100)
    await until(a.set('l', 'x'))
    await until(a.delete('l'))
    await until(a.getOrSet('bad', source.fails(10)).catch(() => {}))
    expect(nonZero(await scrape(registry))).toEqual({
      'cache_hits_total{cache="test",resource=""}': 41,
      'cache_misses_total{cache="test",resource="",outcome="loaded"}': 1,
      'cache_misses_total{cache="test",resource="",outcome="absent"}': 1,
      'cache_misses_total{cache="test",resource="",outcome="failed"}': 1,
      'cache_stale_total{cache="test",resource="",reason="revalidate"}': 1,
      'cache_background_refreshes_total{cache="test",resource="",outcome="refreshed"}': 1,
      'cache_loads_total{cache="test",resource="",outcome="value"}': 2,
      'cache_loads_total{cache="test",resource="",outcome="failed"}': 1,
      'cache_load_seconds_sum{cache="test",resource=""}': 0.26,
      'cache_load_seconds_count{cache="test",resource=""}': 3,
      'cache_commits_total{cache="test",resource="",outcome="stored"}': 2,
      'cache_lease_renewals_total{cache="test",outcome="renewed"}': 1,
      'cache_operation_seconds_count{cache="test",operation="hit"}': 32,
      'cache_operation_seconds_count{cache="test",operation="lookup"}': 2,
      'cache_operation_seconds_count{cache="test",operation="stale"}': 1,
      'cache_operation_seconds_count{cache="test",operation="set"}': 1,
      'cache_operation_seconds_count{cache="test",operation="invalidate"}': 1,
      'cache_operation_seconds_sum{cache="test",operation="miss"}': 0.21000000000000002,
      'cache_operation_seconds_count{cache="test",operation="miss"}': 2,
      'cache_sets_total{cache="test",outcome="stored"}': 1,
      'cache_invalidations_total{cache="test",operation="delete"}': 1,
      'cache_read_bytes_total{cache="test"}': 42 * (76 + 8),
      'cache_written_bytes_total{cache="test"}': 2 * (76 + 8) + (76 + 3),
      'cache_serialized_bytes_total{cache="test"}': 2 * 8 + 3,
      'cache_store_up{cache="test"}': 1,
      'cache_bus_up{cache="test"}': 1,
    })
  })

  it('count contention, losses and what fails', async () => {
    const { a, b, clock, store, source, until } = openFleet({ lease: '300ms' }, ({ command, key }) =>
      command === 'read' && key === 'r' ? refused() : undefined,
    )
    await clock.advance(1)
    const registry = new Registry()
    collectCacheMetrics(b, { registry })
    void a.getOrSet('k', source.takes(150))
    await clock.advance(50)
    await until(b.getOrSet('k', source.takes(100)))
    await until(b.getOrSet('r', source.takes(100)))
    await until(b.set('k', () => {}).catch(() => {}))
    const lost = b.getOrSet('l', source.takes(250))
    await clock.advance(50)
    await until(a.delete('l'))
    await until(lost)
    store.setBus(false)
    const samples = nonZero(await scrape(registry))
    expect(samples).toMatchObject({
      'cache_mutex_contention_seconds_count{cache="test",resource=""}': 1,
      'cache_misses_total{cache="test",resource="",outcome="waited"}': 1,
      'cache_misses_total{cache="test",resource="",outcome="unleased"}': 1,
      'cache_errors_total{cache="test",code="STORE_UNAVAILABLE"}': 1,
      'cache_serialization_errors_total{cache="test",reason="encode"}': 1,
      'cache_leases_lost_total{cache="test",resource=""}': 1,
      'cache_lease_renewals_total{cache="test",outcome="lost"}': 1,
      'cache_commits_total{cache="test",resource="",outcome="lost"}': 1,
      'cache_connection_losses_total{cache="test",part="bus"}': 1,
    })
    expect(samples['cache_mutex_contention_seconds_sum{cache="test",resource=""}']).toBeCloseTo(0.1)
    expect(samples['cache_bus_up{cache="test"}']).toBeUndefined()
  })

  it('tell resources apart, each with all of its series from its definition on', async () => {
    const { a, clock, until } = openFleet({ codec: 'json' })
    await clock.advance(1)
    const registry = new Registry()
    collectCacheMetrics(a, { registry })
    const users = a.define('user', { key: (params: { id: number }) => params, load: ({ id }) => `user ${id}` })
    a.define('user:address', { key: (params: { id: number }) => params, load: ({ id }) => `address ${id}` })
    const before = await scrape(registry)
    expect(before.get('cache_loads_total{cache="test",resource="user",outcome="failed"}')).toBe(0)
    expect(before.get('cache_mutex_contention_seconds_count{cache="test",resource="user:address"}')).toBe(0)
    await until(users.get({ id: 1 }))
    await users.get({ id: 1 })
    await users.get({ id: 1 })
    await until(a.getOrSet('other', () => 1))
    await a.getOrSet('other', () => 1)
    await until(a.get(users.keyOf({ id: 1 })))
    expect([...(await scrape(registry)).keys()]).toEqual([...before.keys()])
    expect(nonZero(await scrape(registry))).toMatchObject({
      'cache_hits_total{cache="test",resource="user"}': 3,
      'cache_hits_total{cache="test",resource=""}': 1,
      'cache_misses_total{cache="test",resource="user",outcome="loaded"}': 1,
      'cache_misses_total{cache="test",resource="",outcome="loaded"}': 1,
      'cache_loads_total{cache="test",resource="user",outcome="value"}': 1,
      'cache_load_seconds_count{cache="test",resource="user"}': 1,
      'cache_commits_total{cache="test",resource="user",outcome="stored"}': 1,
    })
  })

  it('get no new series from random keys', async () => {
    const { a } = openFleet()
    const registry = new Registry()
    collectCacheMetrics(a, { registry })
    a.define('user', { key: (params: { id: number }) => params, load: ({ id }) => id })
    const before = [...(await scrape(registry)).keys()]
    for (let key = 0; key < 100; key++) {
      const random = Math.random()
      for (const each of [`${random}`, `user:${random}`, `user${random}:1`]) await a.getOrSet(each, () => key)
    }
    const after = await scrape(registry)
    expect([...after.keys()]).toEqual(before)
    expect(after.get('cache_misses_total{cache="test",resource="",outcome="loaded"}')).toBe(200)
    expect(after.get('cache_misses_total{cache="test",resource="user",outcome="loaded"}')).toBe(100)
  })

  it('of several caches stand beside each other; two of one name are refused, until the first is stopped', async () => {
    const { a, b, source, until } = openFleet()
    const registry = new Registry()
    const stop = collectCacheMetrics(a, { registry })
    expect(() => collectCacheMetrics(b, { registry })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', option: 'name' }),
    )
    collectCacheMetrics(b, { registry, name: 'other' })
    await until(a.getOrSet('k', source.takes(10)))
    await b.getOrSet('k', source.takes(10))
    expect(nonZero(await scrape(registry))).toMatchObject({
      'cache_hits_total{cache="other",resource=""}': 1,
      'cache_misses_total{cache="test",resource="",outcome="loaded"}': 1,
    })
    stop()
    await a.getOrSet('k', source.takes(10))
    expect([...(await scrape(registry)).keys()].filter(name => name.includes('cache="test"'))).toEqual([])
    collectCacheMetrics(a, { registry })
    expect(nonZero(await scrape(registry))['cache_hits_total{cache="test",resource=""}']).toBeUndefined()
  })

  it('of a closed cache are gone, and its name is free', async () => {
    const registry = new Registry()
    const first = createCache({ namespace: 'shop' })
    collectCacheMetrics(first, { registry })
    await first.getOrSet('k', () => 1)
    expect((await scrape(registry)).get('cache_store_up{cache="shop"}')).toBe(1)
    await first.close()
    expect([...(await scrape(registry)).keys()]).toEqual([])
    const second = createCache({ namespace: 'shop' })
    const stop = collectCacheMetrics(second, { registry })
    await second.getOrSet('k', () => 1)
    await second.close()
    const third = createCache({ namespace: 'shop' })
    collectCacheMetrics(third, { registry })
    stop()
    expect(nonZero(await scrape(registry))).toMatchObject({ 'cache_store_up{cache="shop"}': 1 })
    await third.close()
  })

  it('come as JSON for the workers of a cluster, labels and all', async () => {
    const { a } = openFleet()
    const registry = new Registry()
    collectCacheMetrics(a, { registry })
    const found = (await registry.getMetricsAsJSON()).find(({ name }) => name === 'cache_hits_total')
    expect(found).toMatchObject({
      type: 'counter',
      aggregator: 'sum',
      values: [{ value: 0, labels: { cache: 'test', resource: '' } }],
    })
  })
})

describe('serving metrics', () => {
  const closing: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
  })

  it('answers a fetch-style request and a Node one alike', async () => {
    const { a } = openFleet()
    const registry = new Registry()
    collectCacheMetrics(a, { registry })
    const server = await startMetricsServer({ port: 0, registry })
    closing.push(() => server.close())
    const overHttp = await fetch(server.url)
    const direct = await metricsHandler({ registry })(new Request('http://here/metrics'))
    expect(overHttp.headers.get('content-type')).toBe(direct.headers.get('content-type'))
    expect(direct.headers.get('content-type')).toContain('text/plain; version=0.0.4')
    const text = await overHttp.text()
    expect(text).toBe(await direct.text())
    expect(text).toContain('cache_hits_total{cache="test",resource=""} 0')
  })

  it('answers through what wraps Node’s response, as Fastify’s reply does', async () => {
    const handler = metricsHandler({ registry: new Registry() })
    const refuse = (): never => expect.unreachable()
    let endedInTime = false
    const server = createServer((request, response) => {
      const reply = { raw: response, code: refuse, header: refuse, send: refuse }
      void handler({ raw: request }, reply).then(() => (endedInTime = response.writableEnded))
    })
    await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise(resolve => void server.close(() => resolve())))
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
      signal: AbortSignal.timeout(2000),
    })
    expect({ status: answer.status, endedInTime }).toEqual({ status: 200, endedInTime: true })
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4')
  })

  it('listens on this machine only, and knows one path', async () => {
    const server = await startMetricsServer({ port: 0, registry: new Registry() })
    closing.push(() => server.close())
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/metrics`)
    expect((await fetch(new URL('/', server.url))).status).toBe(404)
    expect((await fetch(server.url, { method: 'POST' })).status).toBe(404)
    await expect(startMetricsServer({ port: server.port, registry: new Registry() })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    await expect(startMetricsServer({ port: -1 })).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'port' })
  })

  it('answers 500 and nothing of the reason when a collector fails', async () => {
    const registry = new Registry()
    const { Gauge } = await import('prom-client')
    const collect = (): never => {
      throw new Error('the password is hunter2')
    }
    expect(new Gauge({ name: 'broken', help: 'x', registers: [registry], collect })).toBeDefined()
    const response = await metricsHandler({ registry })()
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('hunter2')
  })
})
