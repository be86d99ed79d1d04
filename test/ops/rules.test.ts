import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alerts } from '../../ops/alerts.ts'
import { rows } from '../../ops/dashboard.ts'
import { renderDashboard } from '../../ops/render-dashboard.ts'
import { renderRules } from '../../ops/render-rules.ts'
import { createCache } from '../../src/index.ts'
import { metricDefinitions } from '../../src/observe/metrics/definitions.ts'
import { collectCacheMetrics, collectRedisMetrics } from '../../src/observe/prometheus/index.ts'
import { redisMetrics } from '../../src/observe/prometheus/redis-metrics.ts'
import { root } from '../docs/pages.ts'
import { alertCases, quietCases, type AlertCase } from './alert-cases.ts'
import { missing, promtool, tools } from './tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'leasehold-rules-'))
const rulesFile = join(folder, 'rules.yml')
beforeAll(() => writeFileSync(rulesFile, renderRules()))
afterAll(() => rmSync(folder, { recursive: true }))

const known = new Set(
  [...Object.entries(metricDefinitions), ...Object.entries(redisMetrics)].flatMap(([name, { kind }]) =>
    kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ),
)
const metricsIn = (text: string): string[] => [...text.matchAll(/\b(?:cache|redis)_\w+/g)].map(([name]) => name)

describe('the dashboard and the rules', () => {
  it('name only metrics that exist', () => {
    const queries = [...rows.flatMap(row => row.panels.flatMap(panel => panel.queries)), ...alerts].map(({ expr }) => expr)
    expect(queries.flatMap(metricsIn).filter(name => !known.has(name))).toEqual([])
    expect(new Set(queries.flatMap(metricsIn)).size).toBeGreaterThan(30)
    expect(metricsIn('rate(cache_hit_total[5m])').filter(name => !known.has(name))).toEqual(['cache_hit_total'])
  })

  it('show every metric somewhere', () => {
    const shown = new Set(metricsIn(renderDashboard() + renderRules()))
    const unseen = [...Object.keys(metricDefinitions), ...Object.keys(redisMetrics)].filter(
      name => ![...shown].some(each => each === name || each.startsWith(`${name}_`)),
    )
    expect(unseen).toEqual([])
  })

  it('place every panel within the width, none over another', () => {
    const { panels } = JSON.parse(renderDashboard()) as {
      panels: { id: number; gridPos: Record<'x' | 'y' | 'w' | 'h', number> }[]
    }
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true)
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })

  it('have a runbook for every alert', () => {
    for (const { runbook } of alerts) expect(existsSync(`${root}/docs/runbooks/${runbook}.md`), runbook).toBe(true)
  })

  it('link to the runbooks where you show them', () => {
    const urls = [...renderRules('https://wiki.example.com/cache/').matchAll(/runbook_url: (\S+)/g)].map(([, url]) => url)
    expect(urls).toEqual(alerts.map(({ runbook }) => `https://wiki.example.com/cache/${runbook}.md`))
  })

  it('are tested, every one', () => {
    expect(alertCases.map(({ alert }) => alert).toSorted()).toEqual(alerts.map(({ name }) => name).toSorted())
  })
})

describe.skipIf(tools === undefined)(`promtool${missing}`, () => {
  it('finds nothing wrong with the rules', async () => {
    expect(await promtool(['check', 'rules', '--lint=all', '--lint-fatal', rulesFile])).toMatchObject({ code: 0 })
  })

  it('finds nothing wrong with the metrics', async () => {
    const cache = createCache({ namespace: 'shop' })
    const registry = new Registry()
    collectCacheMetrics(cache, { registry })
    collectRedisMetrics(
      { info: () => Promise.resolve('used_memory:1\nmaxclients:3\nkeyspace_hits:1\nkeyspace_misses:1\n') },
      { registry },
    )
    await cache.getOrSet('k', () => 1)
    const { code, output } = await promtool(['check', 'metrics'], await registry.metrics())
    await cache.close()
    expect({ code, output }).toEqual({ code: 0, output: '' })
    expect(await promtool(['check', 'metrics'], '# TYPE bad counter\nbad 1\n')).not.toMatchObject({ code: 0 })
  })

  it.each(alertCases)('sees $alert fire and resolve', async alertCase => {
    expect(await evaluate(alertCase)).toMatchObject({ code: 0 })
  })

  it.each(quietCases)('sees $alert stay quiet when it should', async alertCase => {
    expect(await evaluate(alertCase)).toMatchObject({ code: 0 })
  })

  it('would see an alert that does not fire', async () => {
    const [first] = alertCases as [AlertCase]
    expect(await evaluate({ ...first, alert: 'CacheHitRatioHigh' })).not.toMatchObject({ code: 0 })
  })
})

async function evaluate({ alert, series, firesBy, quietAt }: AlertCase): ReturnType<typeof promtool> {
  const firing = `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`
  const at = (minutes: number, value: number): object => ({
    expr: firing,
    eval_time: `${minutes}m`,
    exp_samples: [{ labels: '{}', value }],
  })
  const checks = [...(Number.isFinite(firesBy) ? [at(firesBy, 1)] : []), ...quietAt.map(minutes => at(minutes, 0))]
  const file = join(folder, `${alert}-${Math.random()}.json`)
  const test = { interval: '1m', input_series: series, promql_expr_test: checks }
  writeFileSync(file, JSON.stringify({ rule_files: [rulesFile], evaluation_interval: '1m', tests: [test] }))
  return promtool(['test', 'rules', file])
}
