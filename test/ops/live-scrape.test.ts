import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderDashboard } from '../../ops/render-dashboard.ts'
import { renderRules } from '../../ops/render-rules.ts'
import { freePort } from '../../scripts/start-redis.ts'
import { createCache, type Cache } from '../../src/index.ts'
import {
  collectCacheMetrics,
  collectRedisMetrics,
  startMetricsServer,
  type MetricsServer,
} from '../../src/observe/prometheus/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'
import { missing, tools } from './tools.ts'

const queries = (JSON.parse(renderDashboard()) as { panels: { title: string; targets?: { expr: string }[] }[] }).panels.flatMap(
  ({ title, targets }) => (targets ?? []).map(({ expr }) => ({ title, expr })),
)

/** As Grafana would fill it in. */
function filledIn(expr: string): string {
  return expr.replaceAll('$cache', '.*').replaceAll('$server', '.*').replaceAll('$__rate_interval', '15s')
}

describe.skipIf(tools === undefined)(`a Prometheus that scrapes a cache under traffic${missing}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'leasehold-prometheus-'))
  const caches: Cache[] = []
  let redis: Redis
  let server: MetricsServer
  let prometheus: ChildProcess
  let address = ''
  let traffic: NodeJS.Timeout

  beforeAll(async () => {
    const url = sharedRedisUrl()
    const namespace = ownNamespace()
    const registry = new Registry()
    redis = new Redis(url)
    for (const name of ['one', 'two']) {
      const cache = createCache({ namespace, store: redisStore(url), ttl: '300ms', staleWhileRevalidate: '1s' })
      collectCacheMetrics(cache, { registry, name })
      caches.push(cache)
    }
    collectRedisMetrics(redis, { registry })
    server = await startMetricsServer({ port: 0, registry })
    traffic = setInterval(() => void work(caches), 50)
    const port = await freePort()
    address = `http://127.0.0.1:${port}`
    writeFileSync(join(folder, 'rules.yml'), renderRules())
    const scrape = { job_name: 'app', static_configs: [{ targets: [`127.0.0.1:${server.port}`] }] }
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yml'],
      scrape_configs: [scrape],
    }
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config))
    const args = [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]
    prometheus = spawn(tools!.prometheus, args, { stdio: 'ignore' })
  }, 60_000)

  afterAll(async () => {
    clearInterval(traffic)
    const exited = prometheus.exitCode === null ? once(prometheus, 'exit') : undefined
    prometheus.kill('SIGKILL')
    await exited
    await Promise.all(caches.map(cache => cache.close()))
    await server.close()
    redis.disconnect()
    rmSync(folder, { recursive: true, force: true })
  })

  it('gets a series for every query of the dashboard', async () => {
    let without = queries
    const deadline = performance.now() + 50_000
    while (without.length > 0 && performance.now() < deadline) {
      await new Promise(resolve => setTimeout(resolve, 500))
      const counts = await Promise.all(without.map(({ expr }) => seriesOf(filledIn(expr))))
      without = without.filter((_, place) => (counts[place] ?? 0) === 0)
    }
    expect(without).toEqual([])
    expect(queries.length).toBeGreaterThan(50)
  })

  it('evaluates every rule', async () => {
    const { data } = (await ask('/api/v1/rules')) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] }
    }
    const rules = data.groups.flatMap(group => group.rules)
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    expect(rules.length).toBeGreaterThan(10)
  })

  async function ask(path: string): Promise<unknown> {
    const response = await fetch(address + path).catch(() => undefined)
    return response?.ok === true ? response.json() : undefined
  }

  async function seriesOf(query: string): Promise<number> {
    const found = (await ask(`/api/v1/query?query=${encodeURIComponent(query)}`)) as { data: { result: unknown[] } } | undefined
    return found?.data.result.length ?? 0
  }
})

/** Hits, misses, waits, refreshes, stores and deletes, in both processes' caches. */
async function work([one, two]: readonly Cache[]): Promise<void> {
  const load = async (): Promise<string> => {
    await new Promise(resolve => setTimeout(resolve, 20))
    return 'x'.repeat(100)
  }
  const keys = Array.from({ length: 5 }, (_, key) => `key:${key}`)
  const calls = keys.flatMap(key => [one!.getOrSet(key, load), two!.getOrSet(key, load)])
  await Promise.allSettled([...calls, one!.set('other', 1), two!.delete(`key:${Math.floor(Math.random() * 20)}`)])
}
