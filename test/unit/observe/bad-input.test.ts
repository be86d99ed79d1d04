import { Registry } from 'prom-client'
import { afterAll, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/create-cache.ts'
import { logCache } from '../../../src/observe/log/index.ts'
import { meterCache, traceCache } from '../../../src/observe/otel/index.ts'
import {
  collectCacheMetrics,
  collectRedisMetrics,
  metricsHandler,
  startMetricsServer,
} from '../../../src/observe/prometheus/index.ts'

const cache = createCache({ namespace: 'shop' })
afterAll(() => cache.close())

const quiet = (): void => {}
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet }
const client = { info: () => Promise.resolve('') }

/** Each as it is called from JavaScript. */
const entryPoints: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> = {
  collectCacheMetrics: (...args) => collectCacheMetrics(...(args as unknown as Parameters<typeof collectCacheMetrics>)),
  collectRedisMetrics: (...args) => collectRedisMetrics(...(args as unknown as Parameters<typeof collectRedisMetrics>)),
  metricsHandler: (...args) => metricsHandler(...(args as unknown as Parameters<typeof metricsHandler>)),
  startMetricsServer: (...args) => startMetricsServer(...(args as unknown as Parameters<typeof startMetricsServer>)),
  meterCache: (...args) => meterCache(...(args as unknown as Parameters<typeof meterCache>)),
  traceCache: (...args) => traceCache(...(args as unknown as Parameters<typeof traceCache>)),
  logCache: (...args) => logCache(...(args as unknown as Parameters<typeof logCache>)),
}

type Case = readonly [name: string, args: readonly unknown[], option: string]

const invalid: readonly Case[] = [
  ['collectCacheMetrics', [], 'cache'],
  ['collectCacheMetrics', [{}], 'cache'],
  ['collectCacheMetrics', [cache, null], 'options'],
  ['collectCacheMetrics', [cache, { registry: {} }], 'registry'],
  ['collectCacheMetrics', [cache, { name: '' }], 'name'],
  ['collectRedisMetrics', [], 'client'],
  ['collectRedisMetrics', ['redis://h'], 'client'],
  ['collectRedisMetrics', [client, 'redis'], 'options'],
  ['collectRedisMetrics', [client, { registry: {} }], 'registry'],
  ['collectRedisMetrics', [client, { server: '' }], 'server'],
  ['metricsHandler', [{ registry: {} }], 'registry'],
  ['startMetricsServer', [], 'options'],
  ['startMetricsServer', [{ port: 0, host: '' }], 'host'],
  ['startMetricsServer', [{ port: 0, registry: {} }], 'registry'],
  ['meterCache', [], 'cache'],
  ['meterCache', [cache, { meter: {} }], 'meter'],
  ['meterCache', [cache, { name: 1 }], 'name'],
  ['traceCache', [], 'cache'],
  ['traceCache', [cache, { tracer: {} }], 'tracer'],
  ['traceCache', [cache, { name: '' }], 'name'],
  ['traceCache', [cache, { keys: 'yes' }], 'keys'],
  ['traceCache', [cache, { roots: 1 }], 'roots'],
  ['logCache', [], 'cache'],
  ['logCache', [cache], 'logger'],
  ['logCache', [cache, logger, []], 'options'],
  ['logCache', [cache, logger, { name: '' }], 'name'],
  ['logCache', [cache, logger, { keys: 'no' }], 'keys'],
  ['logCache', [cache, logger, { calls: 1 }], 'calls'],
  ['logCache', [cache, logger, { secrets: 's3kr1t' }], 'secrets'],
  ['logCache', [cache, logger, { secrets: [/s3kr1t/] }], 'secrets'],
  ['logCache', [cache, logger, { traceId: 'abc' }], 'traceId'],
]

const unknown: readonly Case[] = [
  ['collectCacheMetrics', [cache, { nmae: 'shop' }], 'nmae'],
  ['collectRedisMetrics', [client, { name: 'redis' }], 'name'],
  ['metricsHandler', [{ port: 1 }], 'port'],
  ['startMetricsServer', [{ port: 0, prefix: 'x' }], 'prefix'],
  ['meterCache', [cache, { registry: new Registry() }], 'registry'],
  ['traceCache', [cache, { key: true }], 'key'],
  ['logCache', [cache, logger, { level: 'warn' }], 'level'],
]

describe('what observes a cache', () => {
  it.each(invalid)('%s refuses %j: INVALID_OPTION %s', async (name, args, option) => {
    await expect(called(name, args)).rejects.toMatchObject({ code: 'INVALID_OPTION', option })
  })

  it.each(unknown)('%s refuses %j: UNKNOWN_OPTION %s', async (name, args, option) => {
    await expect(called(name, args)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION', option })
  })

  it('repeats no secret of what it refuses', async () => {
    await expect(called('logCache', [cache, logger, { secrets: 's3kr1t' }])).rejects.toThrow(/^(?!.*s3kr1t)/)
  })

  it('leaves nothing behind when it refuses', async () => {
    const registry = new Registry()
    await called('collectCacheMetrics', [cache, { registry, name: '' }]).catch(() => {})
    await called('collectRedisMetrics', [undefined, { registry }]).catch(() => {})
    expect(registry.getMetricsAsArray()).toEqual([])
  })
})

async function called(name: string, args: readonly unknown[]): Promise<unknown> {
  return entryPoints[name]?.(...args)
}
